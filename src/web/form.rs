//! The fields of a posted form, in either form that browsers and mailbox providers send (RFC 7578, RFC 8058).
//!
//! What cannot be read is as if it were not there: the caller decides what an empty form means.

use axum::extract::{FromRequest, Multipart, Request};
use axum::http::header;
use axum::response::{IntoResponse, Response};

/// How many fields are read; what follows is left out.
const MOST: usize = 500;

/// Names and values in the order in which they came.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// The answer to give, where the body is larger than the server takes or breaks off.
    pub async fn read(request: Request) -> Result<Self, Response> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.to_ascii_lowercase().starts_with("multipart/form-data") {
            return Self::of_parts(request).await;
        }
        let body = axum::body::Bytes::from_request(request, &()).await.map_err(IntoResponse::into_response)?;
        let pairs = form_urlencoded::parse(&body).take(MOST);
        Ok(Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()))
    }

    async fn of_parts(request: Request) -> Result<Self, Response> {
        let mut fields = Vec::new();
        let Ok(mut parts) = Multipart::from_request(request, &()).await else { return Ok(Self::default()) };
        while fields.len() < MOST {
            let part = match parts.next_field().await {
                Ok(Some(part)) => part,
                Ok(None) => break,
                Err(error) if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE => {
                    return Err(error.into_response());
                }
                Err(_) => break,
            };
            let name = part.name().unwrap_or_default().to_owned();
            let Ok(value) = part.text().await else { break };
            fields.push((name, value));
        }
        Ok(Self(fields))
    }

    /// The first value of a field, without blanks around it; empty where there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }
}

#[cfg(test)]
mod tests {
    use super::Form;
    use axum::body::Body;
    use axum::http::Request;

    async fn read(kind: &str, body: &str) -> Form {
        let request = Request::builder().header("content-type", kind).body(Body::from(body.to_owned()));
        Form::read(request.expect("a request")).await.expect("a form")
    }

    #[tokio::test]
    async fn both_forms_are_read_alike() {
        let multipart =
            "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
        let one = read("multipart/form-data; boundary=x", multipart).await;
        let other = read("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click").await;
        assert_eq!(one, other);
        assert_eq!(one.get("List-Unsubscribe"), "One-Click");
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_not_there() {
        for (kind, body) in [
            ("multipart/form-data", "no boundary"),
            ("multipart/form-data; boundary=x", "--y\r\n"),
            ("", ""),
            ("application/json", "{}"),
            ("text/plain", "\u{0}%zz=&&=%"),
        ] {
            let form = read(kind, body).await;
            assert!(!form.has("List-Unsubscribe"), "{kind} {body}");
            assert_eq!(form.get("List-Unsubscribe"), "");
        }
    }
}
