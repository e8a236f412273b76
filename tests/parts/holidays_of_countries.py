"""Public holidays by country, from the package `holidays` (MIT licence): one line for each country.

`GB *01010426 27:0326 28:0414`: the country, the dates that are holidays in every year, then year by year the others.
Without arguments it prints the file `src/courtesy/holidays.txt`; the test compares the two.
"""

import warnings

import holidays

YEARS = range(2025, 2041)
HEADER = """\
# Public holidays by country, 2025 to 2040, nation-wide ones only, as the Python package `holidays` has them
# (version {version}, https://github.com/vacanza/holidays, MIT licence). Made by tests/parts/holidays_of_countries.py.
# Lunar dates of later years are estimates. A country, `*` and what is a holiday in each of its years, then the others."""


def digits(days):
    return "".join(f"{day.month:02}{day.day:02}" for day in sorted(days))


def line(country):
    by_year = {}
    for year in YEARS:
        days = {day for day in holidays.country_holidays(country, years=year) if day.year == year}
        if days:
            by_year[year] = days
    if not by_year:
        return None
    pairs = [{(day.month, day.day) for day in days} for days in by_year.values()]
    always = set.intersection(*pairs)
    fixed = "".join(f"{month:02}{day:02}" for month, day in sorted(always))
    rest = {year: [day for day in days if (day.month, day.day) not in always] for year, days in by_year.items()}
    return " ".join([country, f"*{fixed}"] + [f"{year % 100:02}:{digits(days)}" for year, days in rest.items()])


def main():
    warnings.simplefilter("ignore")
    print(HEADER.format(version=holidays.__version__))
    for country in sorted(holidays.list_supported_countries(include_aliases=False)):
        text = line(country) if len(country) == 2 else None
        if text:
            print(text)


main()
