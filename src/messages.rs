//! Messages: templates, their checks, and rendering.

/// What a touchpoint says, by part: kept as sent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Words {
    pub subject: Option<String>,
    pub html: Option<String>,
    pub text: Option<String>,
    pub sms: Option<String>,
    pub voice: Option<String>,
}
