"""cdnow.py make DATA OUT | expect DATA RULE: the CDNOW purchases as a shop's files, and whom its rules reach.

The moment is 1998-07-01 09:00 UTC: ten o'clock in London, five in New York, where it is still quiet until seven.
What the data does not have follows from the customer's id: it is even, in the US; not divisible by three, opted in.
"""

import collections
import csv
import datetime
import decimal
import json
import pathlib
import sys

TODAY = datetime.date(1998, 7, 1)


def purchases(data):
    with open(pathlib.Path(data) / "cdnow_master.csv", newline="") as file:
        yield from csv.DictReader(file)


def in_the_us(customer):
    return int(customer) % 2 == 0


def opted_in(customer):
    return int(customer) % 3 != 0


def make(data, out):
    out = pathlib.Path(out)
    customers = set()
    with open(out / "orders.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "customer_id", "date", "number_of_cds", "dollar_value"])
        for row, order in enumerate(purchases(data), start=1):
            customers.add(order["customer_id"])
            writer.writerow([f"o{row}", order["customer_id"], order["date"], order["number_of_cds"], order["dollar_value"]])
    with open(out / "customers.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "email", "country", "time_zone", "email_opt_in", "opt_in_at"])
        for customer in sorted(customers):
            place = ("US", "America/New_York") if in_the_us(customer) else ("GB", "Europe/London")
            consent = ("true", "1998-06-01T12:00:00Z") if opted_in(customer) else ("false", "")
            writer.writerow([customer, f"c{customer}@customers.test", *place, *consent])


def age(order):
    return (TODAY - datetime.date.fromisoformat(order["date"])).days


def spent(order):
    return decimal.Decimal(order["dollar_value"])


RULES = {
    "win-back": lambda orders: min(map(age, orders)) >= 90,
    "tenth-order": lambda orders: sum(spent(o) > 0 for o in orders) >= 10,
    "regular": lambda orders: sum(age(o) <= 60 for o in orders) >= 2
    and not any(int(o["number_of_cds"]) > 10 for o in orders),
    "big-spender": lambda orders: sum(map(spent, orders)) >= 500 and max(map(spent, orders)) < 200,
}
PROMOTIONAL = {"win-back", "tenth-order"}


def expect(data, rule):
    orders = collections.defaultdict(list)
    for order in purchases(data):
        orders[order["customer_id"]].append(order)
    matched = sorted(customer for customer, theirs in orders.items() if RULES[rule](theirs))
    allowed = [c for c in matched if rule not in PROMOTIONAL or opted_in(c)]
    refused = sorted(set(matched) - set(allowed))
    answer = {
        "matched": matched,
        "planned": allowed,
        "deferred": [c for c in allowed if in_the_us(c)],
        "skipped": {"no_consent": refused} if refused else {},
    }
    print(json.dumps(answer))


{"make": make, "expect": expect}[sys.argv[1]](*sys.argv[2:])
