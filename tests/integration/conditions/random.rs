//! Random rows, extreme and missing values among them, and random conditions that are well typed.

use super::data::{Cell, Data, Record};
use plusone::catalogue::{CUSTOMER, Catalogue, Entity, Type};
use plusone::time::{Date, Timestamp};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

const TEXTS: [&str; 16] = [
    "",
    "a",
    "gold",
    "Gold",
    "GOLD",
    "silver",
    "é",
    "É",
    "日本語",
    "it's \"so\"",
    "a%b_c",
    "\\d+",
    "🙂",
    "Zebra",
    "z",
    "line\nbreak",
];
const PATTERNS: [&str; 14] = [
    "^[A-Z]",
    "o",
    "^gold$",
    "(?i)^gold$",
    "[^a-z]",
    "a|é",
    r"^\\w+$",
    r"^.{2,4}$",
    "日",
    r"\\s",
    "^$",
    "l(d|v)",
    r"^\\P{L}*$",
    "(?s)e.b",
];

pub struct Random {
    pub rng: StdRng,
}

/// What stands for a row in a condition: its name and its entity.
type Named = (String, String);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    Integer,
    Decimal,
    Money,
    Date,
    Timestamp,
    Text,
}

/// Zones as data has them: with clocks far apart, in another spelling, and what is none.
pub const ZONES: [&str; 10] = [
    "Pacific/Kiritimati",
    "Pacific/Honolulu",
    "america/new_york",
    "Europe/London",
    "Asia/Kolkata",
    "Pacific/Apia",
    "America/St_Johns",
    "Etc/GMT+12",
    "Nowhere/City",
    "",
];

impl Random {
    pub fn new(seed: u64) -> Self {
        Self { rng: StdRng::seed_from_u64(seed) }
    }

    fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        from.choose(&mut self.rng).expect("something to pick from")
    }

    fn chance(&mut self, share: f64) -> bool {
        self.rng.random_bool(share)
    }

    /// `count` customers with orders, lines, products and shops, near `now` in time.
    pub fn data(&mut self, catalogue: &Catalogue, count: usize, now: Timestamp) -> Data {
        let mut data = Data::new();
        let counts = [("shop", 4), ("product", 9), (CUSTOMER, count), ("order", count * 2), ("order_line", count * 2)];
        for (name, rows) in counts {
            let entity = catalogue.entity(name).expect("it is declared");
            let rows = (0..rows).map(|index| self.record(entity, index, &data, now)).collect();
            data.insert(name.to_owned(), rows);
        }
        data
    }

    fn record(&mut self, entity: &Entity, index: usize, data: &Data, now: Timestamp) -> Record {
        let mut record = Record { bucket: -1, ..Record::default() };
        for field in &entity.fields {
            let link = entity.belongs_to.iter().find(|link| link.field == field.name);
            let cell = if field.name == "id" {
                Some(Cell::Text(format!("{}-{index}", entity.name)))
            } else if let Some(link) = link {
                // Half of the lists belong to few, so that they are long; some rows lead nowhere.
                let rows = &data[&link.entity];
                let few = if self.chance(0.5) { rows.len().min(9) } else { rows.len() };
                let target = &rows[self.rng.random_range(0..few)];
                if link.entity == CUSTOMER || link.entity == "order" {
                    record.bucket = target.bucket;
                    record.customer = target.customer.clone();
                }
                let found = target.fields["id"].clone();
                match self.rng.random_range(0..12) {
                    0 => None,
                    1 => Some(Cell::Text("nowhere".to_owned())),
                    _ => Some(found),
                }
            } else if field.name == "time_zone" {
                Some(Cell::Text((*self.pick(&ZONES)).to_owned())).filter(|_| self.chance(0.8))
            } else {
                self.cell(field.ty, now)
            };
            record.fields.extend(cell.map(|cell| (field.name.clone(), cell)));
        }
        if entity.name == CUSTOMER {
            record.bucket = i64::try_from(index % 5).expect("small");
            record.customer = format!("{CUSTOMER}-{index}");
        }
        record
    }

    fn cell(&mut self, ty: Type, now: Timestamp) -> Option<Cell> {
        if self.chance(0.22) {
            return None;
        }
        Some(match ty {
            Type::Text => Cell::Text((*self.pick(&TEXTS)).to_owned()),
            Type::Boolean => Cell::Int(self.rng.random_range(0..2)),
            Type::Integer => Cell::Int(self.integer()),
            Type::Decimal(_) | Type::Money => Cell::Int(self.scaled()),
            Type::Date => Cell::Int(self.day(now)),
            Type::Timestamp => Cell::Int(self.instant(now)),
        })
    }

    fn integer(&mut self) -> i64 {
        match self.rng.random_range(0..6) {
            0 => *self.pick(&[(1 << 53) - 1, -(1 << 53) + 1, 0, -1, 1, 1 << 32]),
            1 => self.rng.random_range(-100_000..100_000),
            _ => self.rng.random_range(-3..12),
        }
    }

    fn scaled(&mut self) -> i64 {
        match self.rng.random_range(0..8) {
            0 => *self.pick(&[
                i64::MAX,
                i64::MIN,
                i64::MIN + 1,
                0,
                1,
                -1,
                i64::MAX / 2,
                i64::MAX / 10_000,
                4_294_967_296,
            ]),
            1 => self.rng.random_range(i64::MIN..i64::MAX),
            2 => self.rng.random_range(-1_000..1_000),
            _ => self.rng.random_range(-10..100) * 2_500,
        }
    }

    fn day(&mut self, now: Timestamp) -> i64 {
        let today = now.micros().div_euclid(86_400_000_000);
        match self.rng.random_range(0..8) {
            0 => *self.pick(&[-719_162, 2_932_896, 0, -1, 11_016, -95_000_000, 95_000_000, 59, 60]),
            1 => today - 366 * self.rng.random_range(0..90) + self.rng.random_range(-30..30),
            2 => {
                let year = 4 * self.rng.random_range(480..510);
                format!("{year}-02-{}", self.pick(&["28", "29"])).parse::<Date>().expect("a leap year").days()
            }
            _ => today + self.rng.random_range(-90..90),
        }
    }

    fn instant(&mut self, now: Timestamp) -> i64 {
        const HOUR: i64 = 3_600_000_000;
        match self.rng.random_range(0..8) {
            0 => *self.pick(&[0, -1, 8_200_000_000_000_000_000, -8_200_000_000_000_000_000, -5_364_662_400_000_000]),
            1 => now.micros() - self.rng.random_range(0..3_000_000_000_000_000),
            2 | 3 => now.micros() + self.rng.random_range(-50 * HOUR..50 * HOUR),
            4 => now.micros(),
            _ => {
                now.micros() + 24 * HOUR * self.rng.random_range(-90..90) + self.rng.random_range(-12 * HOUR..12 * HOUR)
            }
        }
    }

    /// A condition over a row of `root`.
    pub fn condition(&mut self, catalogue: &Catalogue, root: &str) -> String {
        let mut names: Vec<Named> = vec![(root.to_owned(), root.to_owned())];
        if root != CUSTOMER {
            names.push((CUSTOMER.to_owned(), CUSTOMER.to_owned()));
        }
        let depth = self.rng.random_range(1..5);
        self.boolean(catalogue, &names, depth, 0)
    }

    fn boolean(&mut self, catalogue: &Catalogue, names: &[Named], depth: u32, lists: usize) -> String {
        let less = depth.saturating_sub(1);
        let simple = self.rng.random_range(0..9);
        let choice = if depth == 0 { simple } else { self.rng.random_range(0..19) };
        match choice {
            0..=3 => self.comparison(catalogue, names, less, lists),
            4 => self.field(catalogue, names, &[Type::Boolean]).unwrap_or_else(|| "true".to_owned()),
            5 => {
                let field = self.field(catalogue, names, &[]).expect("every entity has fields");
                match self.rng.random_range(0..3) {
                    0 => format!("has({field})"),
                    1 => format!("{field} == null"),
                    _ => format!("null != {field}"),
                }
            }
            6 => self.membership(catalogue, names, less, lists),
            7 => self.text_test(catalogue, names, less, lists),
            8 => format!("is_anniversary({})", self.either_date(catalogue, names, less, lists)),
            9 | 10 => format!(
                "({} && {})",
                self.boolean(catalogue, names, less, lists),
                self.boolean(catalogue, names, less, lists)
            ),
            11 | 12 => format!(
                "({} || {})",
                self.boolean(catalogue, names, less, lists),
                self.boolean(catalogue, names, less, lists)
            ),
            13 => format!("!{}", self.bracketed(catalogue, names, less, lists)),
            14 => {
                let condition = self.bracketed(catalogue, names, less, lists);
                let (yes, no) =
                    (self.boolean(catalogue, names, less, lists), self.boolean(catalogue, names, less, lists));
                format!("({condition} ? {yes} : {no})")
            }
            15 => {
                let (a, b) =
                    (self.bracketed(catalogue, names, less, lists), self.bracketed(catalogue, names, less, lists));
                format!("{a} {} {b}", self.pick(&["==", "!="]))
            }
            _ => match self.list(catalogue, names, less, lists) {
                Some((list, inside)) => {
                    let name = inside.last().expect("the element").0.clone();
                    let condition = self.boolean(catalogue, &inside, less, lists + 1);
                    match self.rng.random_range(0..5) {
                        0 => format!("{list}.all({name}, {condition})"),
                        1 => format!("{list}.size() {} {}", self.pick(&["==", ">", "<="]), self.rng.random_range(0..4)),
                        _ => format!("{list}.exists({name}, {condition})"),
                    }
                }
                None => self.comparison(catalogue, names, less, lists),
            },
        }
    }

    fn bracketed(&mut self, catalogue: &Catalogue, names: &[Named], depth: u32, lists: usize) -> String {
        format!("({})", self.boolean(catalogue, names, depth, lists))
    }

    fn comparison(&mut self, catalogue: &Catalogue, names: &[Named], depth: u32, lists: usize) -> String {
        let wants = [
            Want::Integer,
            Want::Decimal,
            Want::Money,
            Want::Date,
            Want::Timestamp,
            Want::Text,
            Want::Integer,
            Want::Money,
        ];
        let mut want = *self.pick(&wants);
        let left = self.value(catalogue, names, want, depth, lists);
        want = match want {
            Want::Integer | Want::Decimal | Want::Money => {
                *self.pick(&[want, want, want, Want::Integer, Want::Decimal])
            }
            Want::Date | Want::Timestamp => *self.pick(&[want, want, Want::Date, Want::Timestamp]),
            Want::Text => want,
        };
        let right = match self.chance(0.6) {
            true => self.literal(want),
            false => self.value(catalogue, names, want, depth, lists),
        };
        let sign = self.pick(&["==", "!=", "<", "<=", ">", ">="]);
        if self.chance(0.9) { format!("{left} {sign} {right}") } else { format!("{right} {sign} {left}") }
    }

    fn membership(&mut self, catalogue: &Catalogue, names: &[Named], depth: u32, lists: usize) -> String {
        let want = *self.pick(&[Want::Integer, Want::Money, Want::Text, Want::Text]);
        let value = self.value(catalogue, names, want, depth, lists);
        let members: Vec<String> = (0..self.rng.random_range(1..4)).map(|_| self.literal(want)).collect();
        format!("{value} in [{}]", members.join(", "))
    }

    fn text_test(&mut self, catalogue: &Catalogue, names: &[Named], depth: u32, lists: usize) -> String {
        let text = self.value(catalogue, names, Want::Text, depth, lists);
        if self.chance(0.4) {
            return format!("{text}.matches(\"{}\")", self.pick(&PATTERNS));
        }
        let part = if self.chance(0.7) {
            self.literal(Want::Text)
        } else {
            self.value(catalogue, names, Want::Text, depth, lists)
        };
        format!("{text}.{}({part})", self.pick(&["startsWith", "endsWith", "contains"]))
    }

    fn either_date(&mut self, catalogue: &Catalogue, names: &[Named], depth: u32, lists: usize) -> String {
        let want = *self.pick(&[Want::Date, Want::Timestamp]);
        self.value(catalogue, names, want, depth, lists)
    }

    fn literal(&mut self, want: Want) -> String {
        match want {
            Want::Integer => self.pick(&["0", "1", "-1", "3", "7", "100", "9007199254740991", "5"]).to_string(),
            Want::Decimal => self.pick(&["0.5", "1.25", "-2", "10", "0.0001", "12.345", "3"]).to_string(),
            Want::Money => self.pick(&["0", "20", "2.50", "0.00001", "-1", "99.9999", "922337203685477"]).to_string(),
            Want::Date => {
                let written = ["\"2026-11-03\"", "today()", "\"2000-02-29\"", "\"2026-03-01\"", "\"1970-01-01\""];
                self.pick(&written).to_string()
            }
            Want::Timestamp => {
                let span = self.pick(&["60d", "4h", "1d", "90s", "2w", "30d"]);
                match self.rng.random_range(0..5) {
                    0 => "now".to_owned(),
                    1 => "timestamp(\"2026-10-25T00:30:00Z\")".to_owned(),
                    2 => "\"2026-10-25\"".to_owned(),
                    3 => format!("ahead(\"{span}\")"),
                    _ => format!("ago(\"{span}\")"),
                }
            }
            Want::Text => {
                let text = self.pick(&TEXTS).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
                format!("\"{text}\"")
            }
        }
    }

    fn value(&mut self, catalogue: &Catalogue, names: &[Named], want: Want, depth: u32, lists: usize) -> String {
        let types: &[Type] = match want {
            Want::Integer => &[Type::Integer],
            Want::Decimal => &[Type::Decimal(4), Type::Decimal(2), Type::Decimal(3)],
            Want::Money => &[Type::Money],
            Want::Date => &[Type::Date],
            Want::Timestamp => &[Type::Timestamp],
            Want::Text => &[Type::Text],
        };
        if depth == 0 || self.chance(0.45) {
            return self.field(catalogue, names, types).unwrap_or_else(|| self.literal(want));
        }
        let less = depth - 1;
        if self.chance(0.12) {
            let condition = self.bracketed(catalogue, names, less, lists);
            let (yes, no) =
                (self.value(catalogue, names, want, less, lists), self.value(catalogue, names, want, less, lists));
            return format!("({condition} ? {yes} : {no})");
        }
        if self.chance(0.35)
            && let Some(folded) = self.folded(catalogue, names, want, less, lists)
        {
            return folded;
        }
        match want {
            Want::Integer | Want::Decimal | Want::Money => self.number(catalogue, names, want, less, lists),
            Want::Timestamp => {
                let at = self.value(catalogue, names, want, less, lists);
                format!(
                    "({at} {} duration(\"{}\"))",
                    self.pick(&["+", "-"]),
                    self.pick(&["4h", "1h30m", "-90s", "0.5s"])
                )
            }
            Want::Text => format!("{}.lower()", self.value(catalogue, names, want, less, lists)),
            Want::Date => self.field(catalogue, names, types).unwrap_or_else(|| self.literal(want)),
        }
    }

    fn number(&mut self, catalogue: &Catalogue, names: &[Named], want: Want, depth: u32, lists: usize) -> String {
        let of = |want, random: &mut Self| random.value(catalogue, names, want, depth, lists);
        match (self.rng.random_range(0..9), want) {
            (0 | 1, _) => format!("({} + {})", of(want, self), of(want, self)),
            (2, _) => format!("({} - {})", of(want, self), of(want, self)),
            (3, _) => format!("({} * {})", of(want, self), of(Want::Integer, self)),
            (4, _) => format!("({} / {})", of(want, self), of(Want::Integer, self)),
            (5, Want::Integer) => format!("({} % {})", of(want, self), of(want, self)),
            (5, Want::Decimal) => format!("({} / {})", of(Want::Money, self), of(Want::Money, self)),
            (5, _) => format!("({} * {})", of(want, self), of(Want::Decimal, self)),
            (6, _) => format!("-({})", of(want, self)),
            (_, Want::Integer) => {
                let name = *self.pick(&["days_since", "days_until", "years_since", "days_until_anniversary"]);
                let date = self.either_date(catalogue, names, depth, lists);
                if self.chance(0.2) {
                    let other = self.either_date(catalogue, names, depth, lists);
                    return format!("days_between({date}, {other})");
                }
                format!("{name}({date})")
            }
            (_, _) => format!("({} + {})", of(want, self), self.literal(want)),
        }
    }

    /// An aggregate of a list.
    fn folded(
        &mut self,
        catalogue: &Catalogue,
        names: &[Named],
        want: Want,
        depth: u32,
        lists: usize,
    ) -> Option<String> {
        let (list, inside) = self.list(catalogue, names, depth, lists)?;
        let name = inside.last().expect("the element").0.clone();
        if want == Want::Integer && self.chance(0.3) {
            return Some(format!("{list}.size()"));
        }
        let functions: &[&str] = match want {
            Want::Integer => &["sum", "min", "max"],
            Want::Decimal | Want::Money => &["sum", "min", "max", "avg"],
            _ => &["min", "max"],
        };
        let of = self.value(catalogue, &inside, want, depth, lists + 1);
        Some(format!("{list}.{}({name}, {of})", self.pick(functions)))
    }

    /// A list, and the names inside a call on it.
    fn list(
        &mut self,
        catalogue: &Catalogue,
        names: &[Named],
        depth: u32,
        lists: usize,
    ) -> Option<(String, Vec<Named>)> {
        if lists >= 3 {
            return None;
        }
        let from: Vec<&Named> = names.iter().filter(|(_, entity)| !catalogue.lists(entity).is_empty()).collect();
        let (name, entity) = (*from.choose(&mut self.rng)?).clone();
        let plural = (*self.pick(&catalogue.lists(&entity))).to_owned();
        let child = catalogue.many(&entity, &plural)?.1.name.clone();
        let mut inside = names.to_vec();
        inside.push((format!("x{}", names.len()), child));
        let mut list = format!("{name}.{plural}");
        if self.chance(0.3) {
            let condition = self.boolean(catalogue, &inside, depth.saturating_sub(1), lists + 1);
            list = format!("{list}.filter(x{}, {condition})", names.len());
        }
        Some((list, inside))
    }

    /// A field of one of `types` (of any where there is none), straight or through relations.
    fn field(&mut self, catalogue: &Catalogue, names: &[Named], types: &[Type]) -> Option<String> {
        for _ in 0..6 {
            let (mut path, mut entity) = self.pick(names).clone();
            while self.chance(0.3) {
                let links = &catalogue.entity(&entity)?.belongs_to;
                let Some(link) = links.choose(&mut self.rng) else { break };
                path = format!("{path}.{}", link.entity);
                entity = link.entity.clone();
            }
            let meaning = catalogue.entity(&entity)?;
            let computed: &[(&str, Type)] = match entity.as_str() {
                CUSTOMER => &[
                    ("last_order_at", Type::Timestamp),
                    ("has_paid", Type::Boolean),
                    ("per_visit", Type::Money),
                    ("worth", Type::Money),
                ],
                "order" => &[("worth", Type::Money), ("of_vip", Type::Boolean)],
                _ => &[],
            };
            let fields = meaning.fields.iter().map(|field| (field.name.as_str(), field.ty));
            let fitting: Vec<&str> = fields
                .chain(computed.iter().copied())
                .filter(|(_, ty)| types.is_empty() || types.contains(ty))
                .map(|(name, _)| name)
                .collect();
            if !fitting.is_empty() {
                return Some(format!("{path}.{}", self.pick(&fitting)));
            }
        }
        None
    }
}
