//! From the tree of `plusone.toml` to [`Settings`], with the checks between its parts.

use super::courtesy;
use super::forms;
use super::keys;
use super::legal_hours;
use super::node::{Entry, Node};
use super::reader::Reader;
use crate::courtesy::phrases::names_a_keyword;
use crate::problem::{Problem, nearest};
use crate::rules::{Channel, Purpose};
use crate::settings::{
    Business, ChannelSettings, EveryText, Guard, LogFormat, OptIn, ProviderSettings, QuietWindow, Retention, Secret,
    Settings, Topic, Way, WayOut, Web,
};
use crate::time::Tz;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Reads a checked tree. `None` where something essential is missing, which was reported already.
pub fn read(tree: &Node, problems: &mut Vec<Problem>) -> Option<Settings> {
    let root = Reader::new(tree, &keys::settings::PLUSONE);
    let business = business(root.table("business")?, problems);
    let database = root.table("database")?;
    check_database(database, problems);
    let declared = root.table("providers")?;
    let providers = providers(declared, problems);
    let way_out = way_out(root.table("channels")?, problems);
    let channels = channels(root.table("channels")?, declared, &providers, problems);
    let (topics, restraint) = (topics(root.table("topics")?), root.table("courtesy")?);
    let web = web(root.table("web")?, problems)?;
    warn_unreachable(root, &web, &channels, &providers, problems);
    Some(Settings {
        business: business?,
        database_url: Secret::new(database.text("url")?),
        web,
        channels,
        way_out,
        providers,
        quiet_hours: quiet_hours(restraint),
        legal_hours: legal_hours::read(restraint, problems),
        caps: courtesy::caps(restraint, &topics, problems),
        holdout: courtesy::share(restraint, "holdout"),
        // Conditions need the catalogue: `courtesy::bad_moments` fills them in.
        no_promotions_while: Vec::new(),
        topics,
        guard: guard(root.table("guard")?),
        retention: retention(root.table("retention")?),
        log: match root.table("log")?.text("format")?.as_str() {
            "json" => LogFormat::Json,
            _ => LogFormat::Text,
        },
    })
}

/// Links in messages that leave the house must be ones that customers can open, and that nobody on the way can read.
fn warn_unreachable(
    root: Reader<'_>,
    web: &Web,
    channels: &BTreeMap<Channel, ChannelSettings>,
    providers: &BTreeMap<String, ProviderSettings>,
    problems: &mut Vec<Problem>,
) {
    let used = |name: &str| channels.values().any(|channel| channel.providers.iter().any(|used| used == name));
    let leaves = |provider: &ProviderSettings| !matches!(provider.way, Way::Folder { .. });
    let Some((name, _)) = providers.iter().find(|(name, provider)| used(name) && leaves(provider)) else { return };
    let (scheme, rest) = web.public_url.split_once("://").unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_local = ["127.", "localhost", "[::1]", "0.0.0.0", "10.", "192.168."].iter().any(|at| host.starts_with(at));
    let fault = if is_local {
        "customers cannot open this address, and the links in their messages lead here"
    } else if scheme != "https" {
        "mail programs only unsubscribe over https, and the links in messages lead here"
    } else {
        return;
    };
    let help = "set `[web] public_url` to the address at which this server is reached: `https://plus.harbour.example`";
    let provider = root.table("providers").and_then(|all| all.named().find(|entry| entry.key == *name));
    problems.extend(match (root.table("web").and_then(|section| section.get("public_url")), provider) {
        (Some(said), _) => Some(said.warning(fault).help(help)),
        (None, Some(provider)) => {
            let address = &web.public_url;
            let fault = format!("`{name}` sends to customers, and the links in their messages lead to {address} only");
            Some(Problem::warning(&provider.node.source, provider.key_span.clone(), fault).help(help))
        }
        (None, None) => None,
    });
}

/// Whether a text is written as its key wants it.
type IsGood = fn(&str) -> bool;

fn business(section: Reader<'_>, problems: &mut Vec<Problem>) -> Option<Business> {
    let two_letters = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    let three_letters = |text: &str| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    let single_line = |text: &str| !text.contains(char::is_control);
    let checks: [(&str, IsGood, &str); 9] = [
        ("name", single_line, "write it on one line"),
        ("country", two_letters, "write two capital letters, such as `GB`"),
        ("currency", three_letters, "write three capital letters, such as `GBP`"),
        ("locale", is_locale, "write a language and a region, such as `en-GB`"),
        ("phone", is_e164, "write `+`, the country and the number without spaces: `+442071838750`"),
        ("email", is_address, "write an address such as `hello@harbour.example`"),
        ("website", is_web_address, "write the whole address: `https://harbour.example`"),
        ("logo", is_logo, "write the path of an SVG, PNG, JPEG, WebP or GIF file, or a `data:image/` address"),
        ("colour", is_colour, "write `#` and six hexadecimal digits, such as `#7a3b12`"),
    ];
    for (key, is_good, help) in checks {
        check_text(section, key, is_good, help, problems);
    }
    Some(Business {
        name: section.text("name")?,
        postal_address: section.text("postal_address"),
        phone: section.text("phone"),
        email: section.text("email"),
        website: section.text("website"),
        logo: section.text("logo"),
        colour: section.text("colour"),
        time_zone: section.get("time_zone").and_then(|node| forms::zone(node).ok()).unwrap_or(Tz::UTC),
        locale: section.text("locale")?,
        country: section.text("country")?,
        currency: section.text("currency")?,
    })
}

fn check_text(section: Reader<'_>, key: &str, is_good: IsGood, help: &str, problems: &mut Vec<Problem>) {
    let Some(node) = section.get(key) else { return };
    if node.text().is_some_and(|text| !text.trim().is_empty() && !is_good(text)) {
        problems.push(node.error(format!("`{}` is not a good `{key}`", node.shown())).help(help));
    }
}

fn is_locale(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let good_language = matches!(language.len(), 2 | 3) && language.bytes().all(|byte| byte.is_ascii_lowercase());
    good_language && parts.all(|part| matches!(part.len(), 2..=8) && plain(part))
}

/// `+` and 8 to 15 digits, the first not zero (ITU-T E.164).
fn is_e164(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    matches!(digits.len(), 8..=15) && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number, a short code, or a name of up to eleven letters and digits.
fn is_sms_sender(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ');
    is_e164(text) || plain && matches!(text.len(), 3..=11)
}

/// `AC` and 32 hexadecimal digits.
fn is_account_sid(text: &str) -> bool {
    let digits = text.strip_prefix("AC").unwrap_or_default();
    digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_address(text: &str) -> bool {
    let options = email_address::Options::default().without_display_text();
    email_address::EmailAddress::parse_with_options(text, options).is_ok()
}

fn is_mailbox(text: &str) -> bool {
    !text.contains(char::is_control)
        && email_address::EmailAddress::parse_with_options(text, email_address::Options::default()).is_ok()
}

fn is_web_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or(text.strip_prefix("http://")).unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    !host.is_empty() && !text.contains(char::is_whitespace)
}

/// A file of a kind that browsers show, or a picture written out.
fn is_logo(text: &str) -> bool {
    let kinds = [".svg", ".png", ".jpg", ".jpeg", ".webp", ".gif"];
    text.starts_with("data:image/") || kinds.iter().any(|kind| text.to_ascii_lowercase().ends_with(kind))
}

fn is_colour(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or_default();
    digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_listen(text: &str) -> bool {
    let good_port = |port: &str| port.parse::<u16>().is_ok();
    text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && good_port(port))
}

fn check_database(section: Reader<'_>, problems: &mut Vec<Problem>) {
    let known = |url: &str| {
        ["sqlite://", "postgres://", "postgresql://"]
            .iter()
            .any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
    };
    if let Some(node) = section.get("url").filter(|node| node.text().is_some_and(|url| !known(url))) {
        let help = "write `sqlite://var/plusone.db` or `postgres://user:${DB_PASSWORD}@host/plusone`";
        problems.push(node.error("this is not the address of a database that plusone knows").help(help));
    }
}

fn web(section: Reader<'_>, problems: &mut Vec<Problem>) -> Option<Web> {
    check_text(section, "listen", is_listen, "write an address and a port: `127.0.0.1:8470`", problems);
    check_text(
        section,
        "public_url",
        is_web_address,
        "write the whole address: `https://plus.harbour.example`",
        problems,
    );
    let listen = section.text("listen")?;
    let public_url = section.text("public_url").unwrap_or_else(|| format!("http://{listen}"));
    Some(Web { public_url: public_url.trim_end_matches('/').to_owned(), listen })
}

fn channels(
    section: Reader<'_>,
    declared: Reader<'_>,
    providers: &BTreeMap<String, ProviderSettings>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<Channel, ChannelSettings> {
    let number = "write `+`, the country and the number without spaces: `+442071838750`";
    let mut channels = BTreeMap::new();
    for channel in Channel::ALL {
        let Some(table) = section.table(channel.as_str()) else { continue };
        let (is_good, help): (IsGood, &str) = match channel {
            Channel::Email => (is_mailbox, "write an address, or `Name <address>`"),
            Channel::Sms => {
                (is_sms_sender, "write a number such as `+442071838750`, or three to eleven letters and digits")
            }
            Channel::Voice => (is_e164, number),
        };
        check_text(table, "from", is_good, help, problems);
        let names = provider_names(table, *channel, declared, providers, problems);
        let from = table.text("from").unwrap_or_default();
        channels.insert(*channel, ChannelSettings { from, providers: names });
    }
    channels
}

fn provider_names(
    table: Reader<'_>,
    channel: Channel,
    declared: Reader<'_>,
    providers: &BTreeMap<String, ProviderSettings>,
    problems: &mut Vec<Problem>,
) -> Vec<String> {
    let mut names = Vec::new();
    for (node, name) in table.texts("providers") {
        match providers.get(name) {
            // Its own problem is told where it stands.
            None if declared.named().any(|entry| entry.key == name) => {}
            None => problems.push(unknown_name(node, "provider", "[providers]", providers.keys())),
            Some(provider) if !carries(&provider.way, channel) => {
                problems.push(node.error(format!("`{name}` cannot send {}", spoken(channel))));
            }
            Some(_) if names.iter().any(|known| known == name) => {
                problems.push(node.error(format!("`{name}` is named twice")));
            }
            Some(_) => names.push(name.to_owned()),
        }
    }
    if let Some(list) = table.get("providers").filter(|list| list.is_empty_list()) {
        problems.push(list.error("no provider is named").help("name at least one: `providers = [\"outbox\"]`"));
    }
    names
}

fn carries(way: &Way, channel: Channel) -> bool {
    match way {
        Way::Folder { .. } => true,
        Way::Smtp { .. } => channel == Channel::Email,
        Way::Twilio { .. } => channel != Channel::Email,
    }
}

const fn spoken(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "email",
        Channel::Sms => "text messages",
        Channel::Voice => "calls",
    }
}

/// A name that nothing has, with the nearest that something has.
pub fn unknown_name<'a>(
    node: &Node,
    what: &str,
    place: &str,
    known: impl Iterator<Item = &'a String> + Clone,
) -> Problem {
    let name = node.text().unwrap_or_default();
    node.error(format!("there is no {what} `{}`", node.shown())).help(known_names(name, what, place, known))
}

/// The nearest of those that are known to a name that nothing has, or all.
pub fn known_names<'a>(name: &str, what: &str, place: &str, known: impl Iterator<Item = &'a String> + Clone) -> String {
    if let Some(near) = nearest(name, known.clone().map(String::as_str)) {
        return format!("the nearest {what} is `{near}`");
    }
    let all: Vec<String> = known.map(|name| format!("`{name}`")).collect();
    let all = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
    format!("in {place}: {all}")
}

fn providers(section: Reader<'_>, problems: &mut Vec<Problem>) -> BTreeMap<String, ProviderSettings> {
    section
        .named()
        .filter_map(|entry| provider(entry, problems).map(|provider| (entry.key.clone(), provider)))
        .collect()
}

fn provider(entry: &Entry, problems: &mut Vec<Problem>) -> Option<ProviderSettings> {
    let unlimited = |way| ProviderSettings { way, rate: None, price: BTreeMap::new() };
    match entry.node.get("type")?.text()? {
        "folder" => {
            let table = Reader::new(&entry.node, &keys::settings::FOLDER);
            Some(unlimited(Way::Folder { path: PathBuf::from(table.text("path")?) }))
        }
        "smtp" => {
            let table = Reader::new(&entry.node, &keys::settings::SMTP);
            check_smtp(table, problems);
            Some(ProviderSettings { rate: rate(table), ..unlimited(smtp(table)?) })
        }
        "twilio" => {
            let table = Reader::new(&entry.node, &keys::settings::TWILIO);
            let help = "write the account's SID from Twilio's console: `AC` and 32 digits or letters from a to f";
            check_text(table, "account_sid", is_account_sid, help, problems);
            check_text(
                table,
                "api_base",
                is_web_address,
                "write the whole address: `https://api.twilio.com`",
                problems,
            );
            Some(ProviderSettings { rate: rate(table), price: prices(table), ..unlimited(twilio(table)?) })
        }
        _ => None,
    }
}

fn smtp(table: Reader<'_>) -> Option<Way> {
    Some(Way::Smtp {
        url: Secret::new(table.text("url")?),
        connections: table.integer("connections")?,
        ca_file: table.text("ca_file").map(PathBuf::from),
    })
}

fn check_smtp(table: Reader<'_>, problems: &mut Vec<Problem>) {
    let is_good = |url: &str| {
        let rest = url.strip_prefix("smtp://").or(url.strip_prefix("smtps://")).unwrap_or_default();
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host).split(['/', '?', ':']).next();
        host.is_some_and(|host| !host.is_empty())
    };
    if let Some(node) = table.get("url").filter(|node| node.text().is_some_and(|url| !is_good(url))) {
        let help = "write `smtps://user:${SMTP_PASSWORD}@host:465`, or `smtp://host:25?tls=none`";
        problems.push(node.error("this is not the address of an SMTP relay").help(help));
    }
}

fn twilio(table: Reader<'_>) -> Option<Way> {
    Some(Way::Twilio {
        account_sid: table.text("account_sid")?,
        auth_token: Secret::new(table.text("auth_token")?),
        api_base: table.text("api_base"),
        webhook_keys: table.table("webhook_keys").map(secrets).unwrap_or_default(),
    })
}

fn secrets(table: Reader<'_>) -> BTreeMap<String, Secret> {
    table.named().filter_map(|entry| Some((entry.key.clone(), Secret::new(entry.node.text()?)))).collect()
}

/// How customers stop text messages and calls by answering them.
fn way_out(channels: Reader<'_>, problems: &mut Vec<Problem>) -> WayOut {
    let opt_out = channels.table("sms").and_then(|sms| sms.table("opt_out"));
    let every = opt_out.and_then(|opt_out| opt_out.text("every"));
    let mut words = BTreeMap::new();
    for entry in opt_out.and_then(|opt_out| opt_out.table("words")).iter().flat_map(Reader::named) {
        let Some(text) = entry.node.text().map(str::trim).filter(|text| !text.is_empty()) else { continue };
        if !is_locale(&entry.key) {
            let problem = entry.key_error(format!("`{}` is not a language", entry.key));
            problems.push(problem.help("write `nl`, or with a region `nl-BE`"));
        }
        if !names_a_keyword(text) {
            let problem = entry.node.error("these words name no word that customers can answer with");
            problems.push(problem.help("write STOP in capitals: `Antwoord STOP om je af te melden.`"));
        }
        words.insert(entry.key.clone(), text.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    WayOut {
        every: match every.as_deref() {
            Some("first") => EveryText::First,
            Some("never") => EveryText::Never,
            _ => EveryText::Always,
        },
        words,
        stop_key: channels.table("voice").and_then(|voice| voice.integer("stop_key")).unwrap_or(9),
    }
}

fn rate(table: Reader<'_>) -> Option<crate::settings::Rate> {
    forms::rate(table.get("rate")?).ok()
}

fn prices(table: Reader<'_>) -> BTreeMap<Channel, i64> {
    let Some(price) = table.table("price") else { return BTreeMap::new() };
    [Channel::Sms, Channel::Voice]
        .into_iter()
        .filter_map(|channel| Some((channel, price.money(channel.as_str())?)))
        .collect()
}

/// Every topic that is named, so that rules are not told of a topic's own problems.
fn topics(section: Reader<'_>) -> BTreeMap<String, Topic> {
    let topic = |entry: &Entry| {
        let table = Reader::new(&entry.node, &keys::settings::TOPIC);
        let purpose = table.word("purpose").unwrap_or(Purpose::Promotional);
        let quiet_hours = windows(table.get("quiet_hours"));
        let name = table.text("name").unwrap_or_default();
        let opt_in = table.word("opt_in").unwrap_or(OptIn::Single);
        // A condition needs the catalogue: `opt_in` fills it in.
        (entry.key.clone(), Topic { opt_in, quiet_hours, ..Topic::single(purpose, &name) })
    };
    section.named().map(topic).collect()
}

fn quiet_hours(section: Reader<'_>) -> BTreeMap<Channel, Vec<QuietWindow>> {
    let Some(hours) = section.table("quiet_hours") else { return BTreeMap::new() };
    let of = |channel: &Channel| Some((*channel, windows(Some(hours.get(channel.as_str())?))));
    Channel::ALL.iter().filter_map(of).collect()
}

fn windows(written: Option<&Node>) -> Vec<QuietWindow> {
    let written = written.map_or(&[][..], Node::one_or_many);
    written.iter().filter_map(|node| forms::window(node).ok()).collect()
}

fn retention(section: Reader<'_>) -> Retention {
    let usual = Retention::default();
    Retention {
        words: section.span("words").unwrap_or(usual.words),
        touchpoints: section.span("touchpoints").unwrap_or(usual.touchpoints),
    }
}

fn guard(section: Reader<'_>) -> Guard {
    Guard {
        max_recipients: section.integer("max_recipients"),
        max_share: section.get("max_share").and_then(|node| forms::share(node).ok()),
        max_cost: section.money("max_cost"),
        max_growth: section.integer("max_growth").unwrap_or(u64::MAX),
        max_bounce: section.get("max_bounce").and_then(|node| forms::share(node).ok()).unwrap_or(u32::MAX),
        max_complaint: section.get("max_complaint").and_then(|node| forms::share(node).ok()).unwrap_or(u32::MAX),
        only_to: section.texts("only_to").into_iter().map(|(_, pattern)| pattern.to_owned()).collect(),
    }
}
