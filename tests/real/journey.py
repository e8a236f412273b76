"""journey.py make DATA OUT | expect DATA RULE | phones DATA: the complete-journey households as a grocery's files, and
whom its rules reach.

The moment is 2017-06-20 16:00 UTC, noon in New York; the data knows more than was known then, so the rules look back
from that moment. What the data does not have follows from the household's id. Who filled in the questionnaire said yes
to SMS, and to email unless the id is divisible by four.
`phones` needs the package phonenumbers: every household's phone as E.164.
"""

import collections
import csv
import datetime
import json
import pathlib
import sys
import zoneinfo

NOW = datetime.datetime(2017, 6, 20, 16, tzinfo=datetime.timezone.utc)
ZONE = zoneinfo.ZoneInfo("America/New_York")
TODAY = NOW.astimezone(ZONE).date()
# 555-0100 to 555-0199 is reserved for fiction in every area code
AREAS = "202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 240 248 251".split()
FILES = ["baskets_400hh", "campaign_descriptions", "campaigns", "coupon_redemptions", "demographics"]


def load(data):
    tables = {}
    for name in FILES:
        with open(pathlib.Path(data) / f"completejourney_{name}.csv", newline="") as file:
            tables[name] = list(csv.DictReader(file))
    return tables


def households(tables):
    return sorted({row["household_id"] for rows in tables.values() for row in rows if "household_id" in row})


def phone(household):
    number = int(household)
    return f"({AREAS[number // 100]}) 555-01{number % 100:02}"


def consent(household, tables):
    """The channels that the household said yes to."""
    if not any(row["household_id"] == household for row in tables["demographics"]):
        return set()
    return {"sms"} if int(household) % 4 == 0 else {"sms", "email"}


def write(path, heading, rows):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(heading)
        writer.writerows(rows)


def make(data, out):
    out, tables = pathlib.Path(out), load(data)
    known = {row["household_id"]: row for row in tables["demographics"]}
    asked = ["age", "income", "marital_status", "kids_count"]
    rows = []
    for household in households(tables):
        told = known.get(household)
        yes = consent(household, tables)
        opted_in = ["yes" if channel in yes else "no" for channel in ("sms", "email")]
        opted_in.append("2017-01-01T12:00:00Z" if yes else "")
        answers = [told[question] if told else "" for question in asked]
        rows.append([household, f"h{household}@households.test", phone(household), ZONE.key, *opted_in, *answers])
    write(out / "customers.csv", ["household_id", "email", "phone", "time_zone", "sms_opt_in", "email_opt_in", "opt_in_at", *asked], rows)
    invitations = ((f"{row['campaign_id']}-{row['household_id']}", *row.values()) for row in tables["campaigns"])
    write(out / "invitations.csv", ["id", "campaign_id", "household_id"], invitations)
    slips = ((f"s{n}", *row.values()) for n, row in enumerate(tables["coupon_redemptions"], start=1))
    write(out / "slips.csv", ["id", "household_id", "coupon_upc", "campaign_id", "redemption_date"], slips)


def coupon_reminder(tables):
    ends = {row["campaign_id"]: datetime.date.fromisoformat(row["end_date"]) for row in tables["campaign_descriptions"]}
    used = {
        (row["household_id"], row["campaign_id"])
        for row in tables["coupon_redemptions"]
        if datetime.date.fromisoformat(row["redemption_date"]) <= TODAY
    }
    for row in tables["campaigns"]:
        campaign, household = row["campaign_id"], row["household_id"]
        if 0 <= (ends[campaign] - TODAY).days <= 7 and (household, campaign) not in used:
            yield household


def baskets_so_far(tables):
    baskets = collections.defaultdict(list)
    for row in tables["baskets_400hh"]:
        at = datetime.datetime.fromisoformat(row["ts"]).replace(tzinfo=ZONE)
        if at <= NOW:
            baskets[row["household_id"]].append(at)
    return baskets


def tenth_basket(tables):
    return (household for household, at in baskets_so_far(tables).items() if 10 <= len(at) < 20)


def lapsed(tables):
    old = NOW - datetime.timedelta(days=21)
    return (household for household, at in baskets_so_far(tables).items() if max(at) < old)


def family_hours(tables):
    for row in tables["demographics"]:
        if row["kids_count"] not in ("", "0") and row["marital_status"] != "Unmarried":
            yield row["household_id"]


RULES = {"coupon-reminder": coupon_reminder, "tenth-basket": tenth_basket, "lapsed": lapsed, "family-hours": family_hours}
NEEDS_CONSENT_BY = {"coupon-reminder": "sms", "tenth-basket": "email", "lapsed": "email", "family-hours": None}
BUDGET = {"tenth-basket": 20}


def expect(data, rule):
    tables = load(data)
    channel = NEEDS_CONSENT_BY[rule]
    matched = sorted(RULES[rule](tables))
    allowed = [h for h in matched if channel is None or channel in consent(h, tables)]
    refused = [h for h in matched if h not in allowed]
    answer = {
        "matched": matched,
        "planned": allowed,
        "deferred": [],
        "skipped": {"no_consent": refused} if refused else {},
        "budget": BUDGET.get(rule),
    }
    print(json.dumps(answer))


def phones(data):
    import phonenumbers

    numbers = {}
    for household in households(load(data)):
        number = phonenumbers.parse(phone(household), "US")
        assert phonenumbers.is_valid_number(number), household
        numbers[household] = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    print(json.dumps(numbers))


{"make": make, "expect": expect, "phones": phones}[sys.argv[1]](*sys.argv[2:])
