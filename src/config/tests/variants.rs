//! `[[variants]]`: what is read, and what is refused.

use super::*;

fn variants(more: &str) -> String {
    format!("{RULE}{more}")
}

fn told_of(more: &str) -> String {
    told_with("config/rules/update.toml", &variants(more))
}

#[test]
fn a_variant_says_what_differs_and_has_the_rest_from_its_rule() {
    let more = "offer = 'cookie'\n[[variants]]\nname = 'plain'\nshare = '30%'\n[[variants]]\nname = 'call'\nshare = '20%'\n\
                channels = 'voice'\noffer = []\n[[variants]]\nname = 'tea'\nshare = '50%'\ntemplate = 'other'\n\
                subject = 'Hi {{customer.id}}'\noffer = ['tea', 'cookie']\n";
    let mut files = files();
    files.insert("config/rules/update.toml", &variants(more));
    files.insert("config/offers/cookie.toml", "value = 2\n");
    files.insert("config/offers/tea.toml", "value = 2\n");
    files.insert("templates/other/subject.hbs", "Hello");
    let loaded = load_from(&files, &Environment::default());
    assert_eq!(told(&loaded), "");
    let rule = loaded.project.expect("it is good").rules.remove("update").expect("it is good");
    assert_eq!(rule.channels, [Channel::Email, Channel::Voice], "those of any");
    assert_eq!(rule.offers, ["cookie", "tea"], "those of any");
    let [plain, call, tea] = &rule.variants[..] else { panic!("three") };
    assert_eq!((plain.share, &*plain.template, &plain.channels[..]), (300_000, "update", &[Channel::Email][..]));
    assert_eq!((&plain.offers[..], plain.subject.is_none()), (&[0][..], true));
    assert_eq!((&call.offers[..], &call.channels[..]), (&[][..], &[Channel::Voice][..]));
    assert_eq!((&tea.offers[..], &*tea.template), (&[1, 0][..], "other"));
    assert_eq!(tea.subject.as_ref().map(|subject| &*subject.text), Some("Hi {{customer.id}}"));
    assert_eq!(rule.templates(), ["other", "update"]);
}

#[test]
fn shares_make_everybody_and_names_tell_apart() {
    let two = |one: &str, other: &str| {
        format!("[[variants]]\nname = '{one}'\nshare = '60%'\n[[variants]]\nname = '{other}'\nshare = '30%'\n")
    };
    let told = told_of(&two("a", "b"));
    assert!(
        told.contains("14:9: the shares make 90%, not 100% (with `share = \"40%\"` for this one they do)"),
        "{told}"
    );
    let told = told_of(&two("a", "b").replace("60%", "120%"));
    assert!(told.contains("`120%` is not a share") && !told.contains("the shares make"), "{told}");
    let told = told_of(&two("a", "a").replace("30%", "40%"));
    assert!(told.contains("13:8: two variants are called `a` (give each its own"), "{told}");
    let told = told_of(&two("a", "B b").replace("30%", "40%"));
    assert!(told.contains("`B b` cannot be a variant's name"), "{told}");
    assert!(told_of("[[variants]]\nname = 'a'\nshare = '100%'\n").contains("one variant alone is no experiment"));
    assert!(told_of("variants = []\n").contains("no variant is written"));
}

#[test]
fn what_a_variant_names_must_be_there() {
    let with = |key: &str| {
        told_of(&format!("[[variants]]\nname = 'a'\nshare = '50%'\n[[variants]]\nname = 'b'\nshare = '50%'\n{key}\n"))
    };
    assert!(with("template = 'updat'").contains("there is no template `updat` (the nearest template is `update`)"));
    assert!(with("offer = 'cookie'").contains("no offer `cookie`"), "{}", with("offer = 'cookie'"));
    assert!(with("channels = ['sms']").contains("the channel `sms` is not set up"));
    assert!(with("chanels = ['email']").contains("the nearest known key is `channels`"));
    let told = told_of("[[variants]]\nname = 'a'\n");
    assert!(told.contains("a variant has no `share`"), "{told}");
}

#[test]
fn an_offers_rule_gives_something_in_every_variant() {
    let offers = variants(
        "[[variants]]\nname = 'a'\nshare = '50%'\noffer = 'cookie'\n[[variants]]\nname = 'b'\nshare = '50%'\n",
    )
    .replace("kind = \"status\"", "kind = \"offer\"");
    let mut files = files();
    files.insert("config/rules/update.toml", &offers);
    files.insert("config/offers/cookie.toml", "value = 2\n");
    let told = told(&load_from(&files, &Environment::default()));
    assert!(told.contains("a variant of a rule of kind `offer` carries no offer"), "{told}");
}
