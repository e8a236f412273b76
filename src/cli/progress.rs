//! A bar on the terminal for work that takes more than a second. It goes to standard error and leaves nothing behind.

use crate::progress::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::future::Future;
use std::io::IsTerminal;
use std::time::Duration;

/// How long the work may take before anything is shown.
const PATIENCE: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(100);

/// Does `work` and shows `progress` meanwhile, as so many `things`.
pub async fn shown<T>(things: &str, progress: &Progress, work: impl Future<Output = T>) -> T {
    if !std::io::stderr().is_terminal() {
        return work.await;
    }
    tokio::pin!(work);
    if let Ok(done) = tokio::time::timeout(PATIENCE, &mut work).await {
        return done;
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_message(things.to_owned());
    loop {
        draw(&bar, progress);
        if let Ok(done) = tokio::time::timeout(TICK, &mut work).await {
            bar.finish_and_clear();
            return done;
        }
    }
}

fn draw(bar: &ProgressBar, progress: &Progress) {
    let style = match progress.total() {
        Some(_) => "  {bar:30} {pos} of {len} {msg}, {eta} left",
        None => "  {spinner} {pos} {msg}, {elapsed}",
    };
    bar.set_style(ProgressStyle::with_template(style).expect("a template of ours"));
    if let Some(total) = progress.total() {
        bar.set_length(total);
    }
    bar.set_position(progress.done());
    bar.tick();
}
