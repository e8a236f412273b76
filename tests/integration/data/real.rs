//! Real data sets, where they lie beside the repository: counts and sums against Python's own reading of them.

use super::trial::{Trial, link, trials};
use plusone::catalogue::{Entity, Field, Type};
use plusone::store::entities;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The data sets beside the repository; a clone without them leaves these tests out.
fn data_set(name: &str) -> Option<PathBuf> {
    let near = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let found = near.ancestors().map(|folder| folder.join("shared/data").join(name)).find(|path| path.exists());
    if found.is_none() {
        println!("left out: there is no ../shared/data/{name}");
    }
    found
}

/// What a Python script prints about a file, by the csv module.
fn python(script: &str, file: &Path) -> Option<Vec<String>> {
    let output = Command::new("python3").arg("-c").arg(script).arg(file).output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).split_whitespace().map(str::to_owned).collect())
}

async fn add(trial: &mut Trial, entity: Entity) {
    trial.catalogue.entities.insert(entity.name.clone(), entity);
    let zone = trial.settings.business.time_zone;
    entities::prepare(&trial.db, &trial.catalogue, zone).await.expect("prepared");
}

#[tokio::test]
async fn the_purchases_of_a_record_shop_come_in_as_they_are() {
    let Some(file) = data_set("cdnow_master.csv") else { return };
    // The set numbers no purchases: they are numbered here, by Python, which also computes what must come out.
    let numbered = "import csv,sys\n\
        rows=list(csv.DictReader(open(sys.argv[1])))\n\
        out=csv.writer(open(sys.argv[1]+'.numbered','w'))\n\
        out.writerow(['id']+list(rows[0]))\n\
        [out.writerow([i]+list(r.values())) for i,r in enumerate(rows)]\n\
        from decimal import Decimal\n\
        print(len(rows), len({r['customer_id'] for r in rows}), \
        sum(int(Decimal(r['dollar_value'])*10000) for r in rows), sum(int(r['number_of_cds']) for r in rows))";
    for mut trial in trials().await {
        let copy = trial.folder.path().join("cdnow.csv");
        std::fs::copy(&file, &copy).expect("a copy");
        let Some(expected) = python(numbered, &copy) else { return };
        let copy = trial.folder.path().join("cdnow.csv.numbered");
        let mut order = Entity::new("order", "id");
        order.fields[0].ty = Type::Integer;
        order.fields.extend([
            Field::new("customer_id", Type::Text),
            Field { column: Some("date".to_owned()), ..Field::new("placed_on", Type::Date) },
            Field { column: Some("number_of_cds".to_owned()), ..Field::new("cds", Type::Integer) },
            Field { column: Some("dollar_value".to_owned()), ..Field::new("total", Type::Money) },
        ]);
        order.belongs_to.push(link("customer", "customer_id"));
        add(&mut trial, order).await;
        let report = trial.import("order", &copy).await.expect("imported");
        assert_eq!((report.rows, report.created, report.refused), (69_659, 69_659, 0), "{report:?}");
        let sums = "select count(*), count(distinct _customer), cast(sum(total) as bigint), cast(sum(cds) as bigint) from d_order";
        assert_eq!(trial.rows(sums).await, [expected]);
        let again = trial.import("order", &copy).await.expect("imported");
        assert_eq!((again.unchanged, again.created, again.updated), (69_659, 0, 0));
    }
}

#[tokio::test]
async fn the_baskets_of_households_come_in_with_their_times() {
    let Some(file) = data_set("completejourney_baskets_400hh.csv") else { return };
    let script = "import csv,sys\n\
        from decimal import Decimal\n\
        from datetime import datetime\n\
        from zoneinfo import ZoneInfo\n\
        z=ZoneInfo('America/New_York'); utc=ZoneInfo('UTC')\n\
        def at(text):\n \
         t=datetime.fromisoformat(text).replace(tzinfo=z)\n \
         # a time that the clocks skipped, on 12 March 2017: the end of the gap\n \
         return int(t.timestamp()) if t.astimezone(utc).astimezone(z).replace(tzinfo=None)==t.replace(tzinfo=None) else 1489302000\n\
        rows=list(csv.DictReader(open(sys.argv[1])))\n\
        print(len(rows), len({r['household_id'] for r in rows}), \
        sum(int(Decimal(r['sales_value'])*10000) for r in rows), \
        sum(at(r['ts']) for r in rows))";
    let Some(expected) = python(script, &file) else { return };
    for mut trial in trials().await {
        let mut basket = Entity::new("basket", "basket_id");
        basket.time_zone = Some(plusone::time::Tz::America__New_York);
        basket.fields.extend([
            Field::new("household_id", Type::Text),
            Field { column: Some("ts".to_owned()), ..Field::new("at", Type::Timestamp) },
            Field::new("sales_value", Type::Money),
        ]);
        basket.belongs_to.push(link("customer", "household_id"));
        add(&mut trial, basket).await;
        let report = trial.import("basket", &file).await.expect("imported");
        assert_eq!((report.rows, report.created, report.refused), (39_868, 39_868, 0), "{report:?}");
        let sums = "select count(*), count(distinct _customer), cast(sum(sales_value) as bigint), \
                    cast(sum(at / 1000000) as bigint) from d_basket";
        assert_eq!(trial.rows(sums).await, std::slice::from_ref(&expected));
    }
}
