//! The one place of the program that sleeps.

use std::time::Duration;

pub async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
}
