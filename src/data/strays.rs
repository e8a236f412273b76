//! Which rows belong to customers who are not known: counted after what was read, since a customer may come later.

use super::Report;
use crate::catalogue::{CUSTOMER, Catalogue, Place};
use crate::store::db::{Db, Result};
use crate::store::{sources, strays};

/// Counts the strays of every entity that `reports` may have changed, tells them there, and remembers them.
///
/// # Errors
/// When the database refuses.
pub async fn look(db: &Db, catalogue: &Catalogue, reports: &mut [Report]) -> Result<()> {
    let is_changed = |report: &&Report| report.created + report.updated + report.removed > 0;
    let changed: Vec<String> = reports.iter().filter(is_changed).map(|report| report.entity.clone()).collect();
    for entity in catalogue.entities.values().filter(|entity| entity.place == Place::Own && entity.name != CUSTOMER) {
        let Some(path) = catalogue.path_to_customer(&entity.name) else { continue };
        if !changed.iter().any(|name| *name == entity.name || path.iter().any(|link| link.entity == *name)) {
            continue;
        }
        let count = strays::count(db, catalogue, entity).await?;
        sources::set_strays(db, &entity.name, count).await?;
        if let Some(report) = reports.iter_mut().find(|report| report.entity == entity.name && count > 0) {
            report.strays = count.unsigned_abs();
            report.such_strays = strays::some(db, catalogue, entity).await?;
        }
    }
    Ok(())
}
