//! The ledger on SQLite: what is taken, given back, settled and redeemed.

use super::grants::{Redemption, give_back, given, held, insert, redeem, settle, take};
use super::room::room;
use super::*;
use crate::ids::bucket_of;
use crate::offers::code::CodeSource;
use crate::offers::grant::{Grant, Shown};
use crate::offers::{Budget, PerCustomer};
use crate::sql::Dialect;
use crate::store::migrate::migrate;
use crate::time::Span;

const COST: i64 = 8_000;

struct Ledger {
    db: Db,
    _folder: tempfile::TempDir,
}

async fn ledger() -> Ledger {
    let folder = tempfile::tempdir().expect("a folder");
    let db = Db::open("sqlite://ledger.db", folder.path()).await.expect("a database");
    migrate(&db).await.expect("a schema");
    assert_eq!(db.dialect(), Dialect::Sqlite);
    Ledger { db, _folder: folder }
}

fn offer(code: Option<CodeSource>, total: i64, per_day: Option<i64>) -> Offer {
    Offer {
        name: "free-cookie".to_owned(),
        version: "1".to_owned(),
        description: String::new(),
        value: 25_000,
        cost: COST,
        budget: Budget { total: Some(total * COST), per_day: per_day.map(|count| count * COST) },
        per_customer: Some(PerCustomer { max: 1, per: Some(Span::from_days(90)) }),
        eligible: Vec::new(),
        code,
        valid_for: Some(Span::from_days(30)),
        unused: Unused::Keep,
    }
}

fn pattern() -> Option<CodeSource> {
    Some(CodeSource::Pattern("COOKIE-######".to_owned()))
}

fn now() -> Timestamp {
    "2026-11-03T12:00:00Z".parse().expect("an instant")
}

fn day() -> Date {
    Date::from_days(20_760)
}

impl Ledger {
    /// Grants up to `want` in one transaction, to customers `{name}-0` and on.
    async fn grant(&self, offer: &Offer, name: &str, want: u64) -> Vec<Grant> {
        let mut tx = self.db.begin().await.expect("a transaction");
        let codes = take(&mut tx, offer, day(), want).await.expect("taken").codes;
        let grants: Vec<Grant> = codes
            .into_iter()
            .enumerate()
            .map(|(index, code)| {
                let customer = format!("{name}-{index}");
                Grant {
                    bucket: bucket_of(&customer),
                    touchpoint: format!("t-{customer}"),
                    offer: offer.name.clone(),
                    code,
                    customer,
                    cost: offer.cost,
                    value: offer.value,
                    day: day(),
                    granted_at: now(),
                    expires_at: offer.valid_for.map(|span| now().plus(span)),
                }
            })
            .collect();
        insert(&mut tx, &grants).await.expect("written");
        tx.commit().await.expect("committed");
        grants
    }

    async fn settle(&self, grants: &[Grant], shown: Shown) {
        let mut tx = self.db.begin().await.expect("a transaction");
        let fates: Vec<_> = grants.iter().map(|grant| (grant.bucket, grant.touchpoint.as_str(), shown)).collect();
        let settled = settle(&mut tx, &fates, now()).await.expect("settled");
        assert_eq!(settled, grants.len() as u64);
        tx.commit().await.expect("committed");
    }

    /// What is taken, in grants of the usual cost; the rows of the ledger agree.
    async fn taken(&self, offer: &Offer) -> i64 {
        let mut tx = self.db.begin().await.expect("a transaction");
        let (of_total, of_day) = taken(&mut tx, &offer.name, day()).await.expect("a budget");
        tx.commit().await.expect("committed");
        let held = held(&self.db, &offer.name).await.expect("grants");
        assert_eq!((held.get("total"), held.get(&day().to_string()).or(Some(&0))), (Some(&of_total), Some(&of_day)));
        of_total / COST
    }

    async fn summary(&self, offer: &Offer) -> summary::Summary {
        summary::summaries(&self.db, &[offer], day()).await.expect("a summary").remove(0)
    }
}

#[tokio::test]
async fn a_budget_is_granted_to_its_last_piece_and_no_further() {
    let ledger = ledger().await;
    let offer = offer(pattern(), 10, Some(7));
    assert_eq!(ledger.grant(&offer, "a", 5).await.len(), 5);
    assert_eq!(ledger.grant(&offer, "b", 5).await.len(), 2, "the day's budget is for seven");
    assert_eq!(ledger.grant(&offer, "c", 5).await.len(), 0);
    let tomorrow = Date::from_days(day().days() + 1);
    let mut tx = ledger.db.begin().await.expect("a transaction");
    assert_eq!(reserve_block(&mut tx, &offer, tomorrow, 5).await.expect("reserved").left, 3, "the total is for ten");
    drop(tx);
    assert_eq!(ledger.taken(&offer).await, 7, "what was not committed was never taken");
    let summary = ledger.summary(&offer).await;
    assert_eq!((summary.left, summary.left_today), (Some(3 * COST), Some(0)));
}

#[tokio::test]
async fn what_has_run_out_is_named_alike_to_those_who_take_and_those_who_look() {
    let ledger = ledger().await;
    let file = Some(CodeSource::File("codes.txt".to_owned()));
    let mut tx = ledger.db.begin().await.expect("a transaction");
    codes::sync(&mut tx, "two-codes", ["ONE", "TWO"].map(str::to_owned)).await.expect("read in");
    tx.commit().await.expect("committed");
    for (name, code, total, per_day, left, until) in [
        ("of-total", None, 3, Some(5), 3, Spent::Total),
        ("of-day", None, 9, Some(4), 4, Spent::Day),
        ("of-both", None, 4, Some(4), 4, Spent::Total),
        ("two-codes", file.clone(), 9, Some(5), 2, Spent::Codes),
        ("few-codes", Some(CodeSource::Pattern("C-#".to_owned())), 99, Some(50), 28, Spent::Codes),
    ] {
        let offer = Offer { name: name.to_owned(), ..offer(code, total, per_day) };
        assert_eq!(room(&ledger.db, &offer, day(), now()).await.expect("looked"), Some(Room { left, until }), "{name}");
        let mut tx = ledger.db.begin().await.expect("a transaction");
        let block = take(&mut tx, &offer, day(), 40).await.expect("taken");
        assert_eq!((block.codes.len() as u64, block.until), (left, until), "{name}");
        let block = take(&mut tx, &offer, day(), 1).await.expect("taken");
        assert_eq!((block.codes.len(), block.until), (0, until), "{name}");
        tx.commit().await.expect("committed");
        let none = Some(Room { left: 0, until });
        assert_eq!(room(&ledger.db, &offer, day(), now()).await.expect("looked"), none, "{name}");
    }
}

#[tokio::test]
async fn an_unused_rest_goes_back_with_its_codes() {
    let ledger = ledger().await;
    let offer = offer(pattern(), 10, None);
    let mut tx = ledger.db.begin().await.expect("a transaction");
    let first = take(&mut tx, &offer, day(), 4).await.expect("taken").codes;
    give_back(&mut tx, &offer, day(), &first[1..]).await.expect("given back");
    let again = take(&mut tx, &offer, day(), 3).await.expect("taken").codes;
    assert_eq!(again, first[1..], "the counter went back too");
    give_back(&mut tx, &offer, day(), &again).await.expect("given back");
    give_back(&mut tx, &offer, day(), &first[..1]).await.expect("given back");
    tx.commit().await.expect("committed");
    assert_eq!(ledger.taken(&offer).await, 0);
    assert_eq!(ledger.grant(&offer, "a", 1).await[0].code, first[0]);
}

#[tokio::test]
async fn what_was_never_shown_goes_back_and_what_was_sent_stays() {
    let ledger = ledger().await;
    let offer = offer(Some(CodeSource::File("codes.txt".to_owned())), 10, None);
    let mut tx = ledger.db.begin().await.expect("a transaction");
    let codes = ["ONE", "TWO", "THREE", "TWO"].map(str::to_owned);
    assert_eq!(codes::sync(&mut tx, &offer.name, codes).await.expect("read in"), 3);
    tx.commit().await.expect("committed");
    let grants = ledger.grant(&offer, "a", 5).await;
    let given: Vec<_> = grants.iter().filter_map(|grant| grant.code.as_deref()).collect();
    assert_eq!(given, ["ONE", "TWO", "THREE"], "three codes are three grants, in the file's order");
    assert_eq!(ledger.taken(&offer).await, 3);
    ledger.settle(&grants[..1], Shown::Yes).await;
    ledger.settle(&grants[1..2], Shown::No).await;
    assert_eq!(ledger.summary(&offer).await.left, Some(8 * COST), "what is freed counts as left at once");
    assert_eq!(put_back(&ledger.db).await.expect("put back"), 1);
    assert_eq!(put_back(&ledger.db).await.expect("nothing left"), 0);
    assert_eq!(ledger.taken(&offer).await, 2);
    let again = ledger.grant(&offer, "b", 2).await;
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].code.as_deref(), Some("TWO"), "a code that nobody saw is given again");
}

#[tokio::test]
async fn a_touchpoint_planned_again_has_its_new_grant_and_the_old_one_is_put_back() {
    let ledger = ledger().await;
    let offer = offer(pattern(), 10, None);
    let grants = ledger.grant(&offer, "a", 2).await;
    ledger.settle(&grants, Shown::No).await;
    assert_eq!(ledger.grant(&offer, "a", 2).await.len(), 2);
    assert_eq!(ledger.taken(&offer).await, 2);
    assert_eq!(put_back(&ledger.db).await.expect("nothing to put back"), 0);
    let mut tx = ledger.db.begin().await.expect("a transaction");
    let error = insert(&mut tx, &grants[..1]).await.expect_err("it holds a grant");
    assert_eq!(error.to_string(), "1 of 1 touchpoints hold a grant already");
}

#[tokio::test]
async fn a_code_is_redeemed_once_and_in_time() {
    let ledger = ledger().await;
    let offer = offer(pattern(), 10, None);
    let grants = ledger.grant(&offer, "a", 3).await;
    let code = |index: usize| grants[index].code.clone().expect("a code");
    ledger.settle(&grants[..2], Shown::Yes).await;
    let redeemed = redeem(&ledger.db, &format!(" {} ", code(0).to_lowercase()), now()).await.expect("redeemed");
    assert!(matches!(&redeemed, Redemption::Redeemed(whose) if whose.customer == "a-0"), "{redeemed:?}");
    assert_eq!(redeem(&ledger.db, &code(0), now()).await.expect("an answer"), Redemption::Already(now()));
    assert_eq!(redeem(&ledger.db, "COOKIE-000000", now()).await.expect("an answer"), Redemption::Unknown);
    let over = now().plus(Span::from_days(30));
    assert_eq!(redeem(&ledger.db, &code(1), over).await.expect("an answer"), Redemption::Expired(over));
    let unsettled = redeem(&ledger.db, &code(2), now()).await.expect("redeemed");
    assert!(matches!(unsettled, Redemption::Redeemed(_)), "who has the code was sent it: {unsettled:?}");
    let summary = ledger.summary(&offer).await;
    assert_eq!((summary.all.spent.count, summary.all.redeemed.count, summary.left), (1, 2, Some(7 * COST)));
}

#[tokio::test]
async fn a_code_that_everyone_has_cannot_be_redeemed_for_one() {
    let ledger = ledger().await;
    let offer = offer(Some(CodeSource::Fixed("THANKS".to_owned())), 10, None);
    ledger.grant(&offer, "a", 2).await;
    assert_eq!(redeem(&ledger.db, "thanks", now()).await.expect("an answer"), Redemption::Shared(2));
}

#[tokio::test]
async fn unused_codes_keep_or_return_their_cost() {
    for (unused, left) in [(Unused::Keep, 8), (Unused::Return, 9)] {
        let ledger = ledger().await;
        let offer = Offer { unused, ..offer(pattern(), 10, None) };
        let grants = ledger.grant(&offer, "a", 2).await;
        ledger.settle(&grants[..1], Shown::Yes).await;
        let over = now().plus(Span::from_days(30));
        assert_eq!(expire(&ledger.db, &offer, over.minus(Span::from_micros(1))).await.expect("none"), 0);
        assert_eq!(expire(&ledger.db, &offer, over).await.expect("one"), 1, "a reserved grant does not expire");
        assert_eq!(expire(&ledger.db, &offer, over).await.expect("none"), 0);
        assert_eq!(ledger.summary(&offer).await.left, Some(left * COST));
        assert_eq!(ledger.taken(&offer).await, 10 - left);
    }
}

#[tokio::test]
async fn what_customers_were_given_is_counted_for_a_chunk_at_once() {
    let ledger = ledger().await;
    let offer = offer(pattern(), 10, None);
    let grants = ledger.grant(&offer, "a", 3).await;
    ledger.settle(&grants[2..], Shown::No).await;
    let mut tx = ledger.db.begin().await.expect("a transaction");
    let customers: Vec<_> = ["a-0", "a-2", "b"].into_iter().map(|id| (bucket_of(id), id)).collect();
    let had = given(&mut tx, &offer, &customers, now().plus(Span::from_days(1))).await.expect("counts");
    assert_eq!(had.into_iter().collect::<Vec<_>>(), [("a-0".to_owned(), 1)]);
    let later = given(&mut tx, &offer, &customers, now().plus(Span::from_days(90))).await.expect("counts");
    assert!(later.is_empty(), "{later:?}");
}

#[tokio::test]
async fn a_file_of_codes_may_change() {
    let ledger = ledger().await;
    let offer = offer(Some(CodeSource::File("codes.txt".to_owned())), 10, None);
    let mut tx = ledger.db.begin().await.expect("a transaction");
    let read_in = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>();
    codes::sync(&mut tx, &offer.name, read_in(&["A", "B", "C"])).await.expect("read in");
    assert_eq!(codes::take(&mut tx, &offer, 1).await.expect("taken"), [Some("A".to_owned())]);
    codes::sync(&mut tx, &offer.name, read_in(&["D", "C", "A"])).await.expect("read in");
    let rest = codes::take(&mut tx, &offer, 9).await.expect("taken");
    assert_eq!(rest, [Some("D".to_owned()), Some("C".to_owned())], "B is gone, A was given");
}
