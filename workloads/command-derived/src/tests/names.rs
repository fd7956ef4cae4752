//! Columns of ours beside those that people named.

use matrix_command::results::{self, cells_csv, metrics_csv};
use matrix_frame::Form;

use super::fixture::{EXPERIMENT, faster, store};
use crate::Chosen;

#[test]
fn columns_of_ours_make_way_for_axes_and_metrics_of_the_same_name() {
    let of_metrics = "metric,unit,rounds,missing";
    // Two axes and a metric; the heads of an export, of cells.csv and of metrics.csv.
    let cases = [
        (
            ["engine", "threads", "mean_latency"],
            "engine,threads,round,origin,cell,latency_us",
            "key,engine,threads,round,origin,host,mean_latency",
            format!("engine,threads,{of_metrics},value,low,high"),
        ),
        (
            ["cell", "origin", "host"],
            "cell,origin,round,cell_origin,cell_cell,latency_us",
            "key,cell,origin,round,cell_origin,cell_host,host",
            format!("cell,origin,{of_metrics},value,low,high"),
        ),
        (
            ["key", "value", "cell_key"],
            "key,value,round,origin,cell,latency_us",
            "cell_cell_key,key,value,round,origin,host,cell_key",
            format!("key,value,{of_metrics},metric_value,low,high"),
        ),
    ];
    for ([engine, threads, metric], exported, cells, metrics) in cases {
        let text = EXPERIMENT.replace("engine", engine).replace("threads", threads).replace("mean_latency", metric);
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder.path().join("store"), &text, None, faster(4));
        let chosen = Chosen::only(&store).unwrap().unwrap();
        let loaded = results::load(&store, &chosen.experiment, &chosen.cells, None).unwrap();
        let mut export = Vec::new();
        assert_eq!(results::export(&store, &loaded, 0, Form::Csv, &mut export).unwrap(), 18);
        let export = String::from_utf8(export).unwrap();
        let head = |csv: &str| csv.lines().next().unwrap().to_owned();
        assert_eq!(
            [head(&export), head(&cells_csv(&loaded)), head(&metrics_csv(&loaded))],
            [exported, cells, &metrics]
        );
    }
}
