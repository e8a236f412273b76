//! What helpers take and give.

use super::{Kind, Walk, said};
use crate::catalogue::Type;
use crate::messages::context::Value;
use crate::messages::format::DateForm;
use crate::messages::html;
use crate::messages::needs::Order;
use crate::messages::tree::{Call, Expr, Helper};
use crate::problem::nearest;

const PLURALS: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];
const TEXT: Kind<'static> = Kind::Value { ty: Type::Text, certain: true };
const BOOLEAN: Kind<'static> = Kind::Value { ty: Type::Boolean, certain: true };

/// The type of a value written in the template.
pub fn literal(value: &Value) -> Kind<'static> {
    let ty = match value {
        Value::Integer(_) => Type::Integer,
        Value::Decimal(amount) => Type::Decimal(amount.scale),
        Value::Boolean(_) => Type::Boolean,
        _ => Type::Text,
    };
    Kind::Value { ty, certain: !value.is_blank() }
}

impl<'a> Walk<'a, '_> {
    /// Types a helper's call and reports what is wrong with its values.
    pub(super) fn call(&mut self, call: &'a Call) -> Kind<'a> {
        let kinds: Vec<Kind<'a>> = call.args.iter().map(|arg| self.arg(call.helper, arg)).collect();
        self.count(call);
        self.options(call);
        match call.helper {
            Helper::Date => self.formatted(call, &kinds, &[Type::Date, Type::Timestamp], "a date or a timestamp"),
            Helper::Time => self.formatted(call, &kinds, &[Type::Timestamp], "a timestamp"),
            Helper::Money | Helper::Number => self.numeric(call, &kinds),
            Helper::Plural => {
                if call.option("other").is_none() {
                    let help = "write `{{plural count one=\"# parcel\" other=\"# parcels\"}}`".to_owned();
                    self.fault(call.at, "`plural` without `other`", Some(help));
                }
                self.numeric(call, &kinds)
            }
            Helper::Link => self.link(call, &kinds),
            Helper::Default => self.default(call, &kinds),
            Helper::Top => self.top(call, &kinds),
            Helper::And | Helper::Or | Helper::Not => BOOLEAN,
            Helper::Eq | Helper::Ne | Helper::Lt | Helper::Lte | Helper::Gt | Helper::Gte => {
                self.compared(call, &kinds);
                BOOLEAN
            }
        }
    }

    fn arg(&mut self, helper: Helper, arg: &'a Expr) -> Kind<'a> {
        match arg {
            // `top` wants the rows in an order of its own.
            Expr::Path(path) if helper == Helper::Top => self.path(path),
            other => self.read(other),
        }
    }

    fn count(&mut self, call: &Call) {
        let (least, most) = match call.helper {
            Helper::Date | Helper::Time | Helper::Money | Helper::Number => (1, 1),
            Helper::Plural | Helper::Link | Helper::Not => (1, 1),
            Helper::And | Helper::Or => (2, usize::MAX),
            _ => (2, 2),
        };
        let shape = call.helper.about().form;
        if !(least..=most).contains(&call.args.len()) {
            let message = format!("`{}` with {} values", call.helper, call.args.len());
            self.fault(call.at, message, Some(format!("write `{shape}`")));
        }
    }

    fn options(&mut self, call: &Call) {
        let known: &[&str] = match call.helper {
            Helper::Date => &["format"],
            Helper::Plural => &PLURALS,
            Helper::Top => &["by"],
            _ => &[],
        };
        for (name, value) in &call.options {
            if !known.contains(&name.as_str()) {
                let near = nearest(name, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
                self.fault(value.at(), format!("`{}` knows no `{name}=`", call.helper), near);
            } else if !matches!(value, Expr::Literal(Value::Text(_), _)) {
                let help = format!("write `{name}=\"…\"`");
                self.fault(value.at(), format!("`{name}` must be written as a text"), Some(help));
            }
        }
        if let (Helper::Date, Some(form)) = (call.helper, call.text_option("format"))
            && form.parse::<DateForm>().is_err()
        {
            let forms: Vec<&str> = DateForm::ALL.iter().map(|form| form.as_str()).collect();
            let at = call.option("format").map_or(call.at, Expr::at);
            let help = format!("formats are {}", forms.join(", "));
            self.fault(at, format!("no format is called `{form}`"), Some(help));
        }
    }

    /// A helper whose value must be there and of one of `types`.
    fn formatted(&mut self, call: &'a Call, kinds: &[Kind<'a>], types: &[Type], wanted: &str) -> Kind<'a> {
        if let (Some(arg), Some(kind)) = (call.args.first(), kinds.first()) {
            self.expect(call.helper, arg, kind, |ty| types.contains(&ty), wanted);
        }
        TEXT
    }

    fn numeric(&mut self, call: &'a Call, kinds: &[Kind<'a>]) -> Kind<'a> {
        if let (Some(arg), Some(kind)) = (call.args.first(), kinds.first()) {
            self.expect(call.helper, arg, kind, |ty| ty.scale().is_some(), "a number");
        }
        TEXT
    }

    fn link(&mut self, call: &'a Call, kinds: &[Kind<'a>]) -> Kind<'a> {
        if let Some(Expr::Literal(Value::Text(url), at)) = call.args.first()
            && !html::is_web_address(url)
        {
            let help = "write it whole: `https://example.com/page`".to_owned();
            self.fault(*at, format!("`{url}` is not an absolute http or https address"), Some(help));
        }
        self.formatted(call, kinds, &[Type::Text], "a text with an address")
    }

    fn expect(&mut self, helper: Helper, arg: &Expr, kind: &Kind<'_>, fits: impl Fn(Type) -> bool, wanted: &str) {
        match kind {
            Kind::Unknown => {}
            Kind::Value { ty, certain } if fits(*ty) => {
                if !certain {
                    self.may_miss(arg);
                }
            }
            other => {
                let message = format!("`{helper}` takes {wanted}, and {} is {}", said(arg, other), kind_name(other));
                self.fault(arg.at(), message, None);
            }
        }
    }

    fn default(&mut self, call: &'a Call, kinds: &[Kind<'a>]) -> Kind<'a> {
        let [first, second] = kinds else { return Kind::Unknown };
        for (arg, kind) in call.args.iter().zip(kinds) {
            if matches!(kind, Kind::List(_) | Kind::Row | Kind::Record) {
                let message = format!("`default` takes single values, and {} is {}", said(arg, kind), kind_name(kind));
                self.fault(arg.at(), message, None);
                return Kind::Unknown;
            }
        }
        match (first, second) {
            (Kind::Value { ty, certain: one }, Kind::Value { ty: other, certain: two }) => {
                let ty = if ty == other { *ty } else { Type::Text };
                Kind::Value { ty, certain: *one || *two }
            }
            _ => Kind::Unknown,
        }
    }

    fn top(&mut self, call: &'a Call, kinds: &[Kind<'a>]) -> Kind<'a> {
        let (Some(list), Some(count)) = (call.args.first(), call.args.get(1)) else { return Kind::Unknown };
        if !matches!(count, Expr::Literal(Value::Integer(1..=50), _)) {
            self.fault(count.at(), "`top` takes a number of rows from 1 to 50", None);
        }
        let spot = match &kinds[0] {
            Kind::List(spot) => spot.clone(),
            Kind::Unknown => return Kind::Unknown,
            other => {
                self.fault(
                    list.at(),
                    format!("`top` takes a list, and {} is {}", said(list, other), kind_name(other)),
                    None,
                );
                return Kind::Unknown;
            }
        };
        let Some(by) = call.text_option("by") else {
            let help = "write `(top cart.lines 5 by=\"price\")`".to_owned();
            self.fault(call.at, "`top` without `by`", Some(help));
            return Kind::Unknown;
        };
        if spot.entity.field(by).is_none() {
            let known = spot.entity.fields.iter().map(|field| field.name.as_str());
            let near = nearest(by, known).map(|near| format!("did you mean `{near}`?"));
            let at = call.option("by").map_or(call.at, Expr::at);
            self.fault(at, format!("{} has no field `{by}`", spot.entity.name), near);
            return Kind::Unknown;
        }
        self.needs.shape(spot.of_customer, &spot.steps).fields.insert(by.to_owned());
        self.want(&spot, Order::Greatest(by.to_owned()));
        Kind::List(spot)
    }

    fn compared(&mut self, call: &Call, kinds: &[Kind<'_>]) {
        let [left, right] = kinds else { return };
        match (left, right) {
            (Kind::Unknown, _) | (_, Kind::Unknown) => {}
            (Kind::Value { ty: left, .. }, Kind::Value { ty: right, .. }) => {
                let alike = left == right || left.scale().is_some() && right.scale().is_some();
                if !alike {
                    let message = format!("a {} is never compared with a {}", left.name(), right.name());
                    self.fault(call.at, message, None);
                }
            }
            _ => self.fault(call.at, format!("`{}` compares single values", call.helper), None),
        }
    }
}

fn kind_name(kind: &Kind<'_>) -> String {
    match kind {
        Kind::Row | Kind::Record => "a record".to_owned(),
        Kind::List(_) => "a list".to_owned(),
        Kind::Value { ty: Type::Integer, .. } => "an integer".to_owned(),
        Kind::Value { ty, .. } => format!("a {}", ty.name()),
        Kind::Unknown => "unknown".to_owned(),
    }
}
