//! How every page for people looks: its head, the business at the top, what is said, who to ask at the foot.
//!
//! 1. Works without script, which no page has, and asks nobody else for anything.
//! 2. Is kept by nobody and tells nobody where one came from: a link in a message is as good as its reader's word.
//! 3. Says its language, has one heading of the first rank, and can be used by keyboard and screen reader.

use super::assets;
use super::texts::Texts;
use crate::settings::Business;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// What a browser may do with a page: show it in our own style, post its forms back to us, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

/// What one page says, and to whom.
pub struct Page<'a> {
    pub business: &'a Business,
    pub texts: Texts,
    /// From the page's address to where all pages begin: `../` for each further part.
    pub up: &'a str,
    pub heading: String,
    pub body: Markup,
}

impl Page<'_> {
    /// The page as an answer.
    pub fn answer(self, status: StatusCode) -> Response {
        let markup = self.markup().into_string();
        let mut answer = (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], markup).into_response();
        let headers = answer.headers_mut();
        for (name, value) in [
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow"));
        answer
    }

    fn markup(&self) -> Markup {
        let Self { business, texts, up, heading, body } = self;
        html! {
            (DOCTYPE)
            html lang=(texts.language) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="robots" content="noindex, nofollow";
                    title { (heading) " – " (business.name) }
                    @for sheet in assets::sheets(business) {
                        link rel="stylesheet" href={ (up) (sheet) };
                    }
                }
                body {
                    header { (self.brand()) }
                    main {
                        h1 { (heading) }
                        (body)
                    }
                    footer { (self.foot()) }
                }
            }
        }
    }

    fn brand(&self) -> Markup {
        html! {
            p.brand {
                @match assets::logo(self.business) {
                    Some((true, path)) => img src={ (self.up) (path) } alt="";,
                    Some((false, picture)) => img src=(picture) alt="";,
                    None => {}
                }
                span { (self.business.name) }
            }
        }
    }

    fn foot(&self) -> Markup {
        let Business { name, postal_address, .. } = self.business;
        html! {
            @if let Some(address) = postal_address {
                p { (self.texts.say("postal", &[("business", name), ("address", address)])) }
            }
            @if let Some(ways) = ways(self.business) {
                p { (PreEscaped(marked(self.texts, "questions", &ways))) }
            }
        }
    }
}

/// How people reach the business, as links; `None` where no way is known.
pub fn ways(business: &Business) -> Option<Markup> {
    let Business { email, phone, .. } = business;
    if email.is_none() && phone.is_none() {
        return None;
    }
    Some(html! {
        @if let Some(email) = email { a href={ "mailto:" (email) } { (email) } }
        @if email.is_some() && phone.is_some() { ", " }
        @if let Some(phone) = phone { a href={ "tel:" (phone) } { (phone) } }
    })
}

/// A text whose `$ways` is markup: the text itself is escaped, what is put in is not.
pub fn marked(texts: Texts, key: &str, ways: &Markup) -> String {
    const PLACE: &str = "\u{e000}";
    let text = texts.say(key, &[("ways", PLACE)]);
    html! { (text) }.into_string().replace(PLACE, &ways.0)
}
