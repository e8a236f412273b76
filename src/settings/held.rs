//! The settings that a running daemon holds open: a change of them waits for a restart.

use super::Settings;

impl Settings {
    /// Puts what a daemon that began with `began` holds open in the place of what these settings say; a sentence for
    /// each that differs. Everything else counts as it is written.
    pub fn keep_held(&mut self, began: &Self) -> Vec<String> {
        let mut waiting = Vec::new();
        let mut keep = |what: &str, differs: bool| {
            if differs {
                waiting.push(format!("config/plusone.toml: {what} changed; it counts after a restart of the daemon"));
            }
        };
        keep("`url` of [database]", self.database_url != began.database_url);
        keep("`listen` of [web]", self.web.listen != began.web.listen);
        keep("[log]", self.log != began.log);
        keep("[providers]", self.providers != began.providers);
        self.database_url.clone_from(&began.database_url);
        self.web.listen.clone_from(&began.web.listen);
        self.log = began.log;
        if self.providers != began.providers {
            self.providers.clone_from(&began.providers);
            for (channel, settings) in &mut self.channels {
                match began.channels.get(channel) {
                    Some(began) => settings.providers.clone_from(&began.providers),
                    None => settings.providers.retain(|name| began.providers.contains_key(name)),
                }
            }
        }
        waiting
    }
}
