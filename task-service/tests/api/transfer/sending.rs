//! How exported files are sent.

use proto::task::v1::{
    ExportTasksRequest, TransferFormat::Csv, transfer_service_client::TransferServiceClient,
};
use shared::testing::eventually;
use tonic::Code;

use super::{authorized, export, import, try_export};
use crate::app::{TestApp, refused};

/// Clients that do not receive their large files keep nobody from small ones,
/// and from large ones only until they go.
#[tokio::test]
async fn files_that_nobody_receives_do_not_pile_up() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.user(), app.user());
    let notes = "n".repeat(20_000);
    let rows: String = (0..150).map(|_| format!("t,{notes}\n")).collect();
    for _ in 0..2 {
        import(&app, &ada, Csv, format!("title,notes\n{rows}")).await;
    }
    let request = ExportTasksRequest { parent: String::new(), format: Csv.into() };
    let open = async || {
        let mut client = TransferServiceClient::new(app.channel.clone());
        client.export_tasks(authorized(&app, &ada, request.clone())).await
    };
    let held = (open().await.unwrap(), open().await.unwrap());
    let third = open().await.map(drop);
    refused(third, Code::ResourceExhausted, "OVERLOADED");
    assert_eq!(export(&app, &eve, Csv).await.lines().count(), 1);
    drop(held);
    eventually("a large file can be exported again", || async {
        let file = try_export(&app, &ada, request.clone()).await;
        file.is_ok_and(|file| file.lines().count() == 301)
    })
    .await;
}
