//! The one place of the program that sleeps.

use std::time::Duration;

pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
