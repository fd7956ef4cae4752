//! What the plans of an inventory say.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use matrix_bundle::layout::BundlePath;
use matrix_bundle::{BundleError, json};
use matrix_plan::plan::Reason;
use matrix_plan::{Axes, CellKey, Plan, Platform, Shard};

use super::Inventory;

/// What a plan says of a cell: its axes and round, what it is planned on, and why it is to run or not.
pub(super) type Planned = ((Axes, u32), Platform, Reason);

/// What plans say.
#[derive(Default)]
pub(super) struct Plans {
    /// Of each cell that was asked for.
    pub(super) cells: BTreeMap<CellKey, Planned>,
    /// The other cells that they have.
    pub(super) left_out: BTreeSet<CellKey>,
    pub(super) missing_shards: BTreeSet<(String, Shard)>,
    pub(super) experiments: BTreeSet<String>,
}

impl Plans {
    /// Reads them, the newest run's last. These cells of the inventory are asked for.
    pub(super) fn read(inventory: &Inventory, asked: &HashSet<CellKey>) -> Result<Self, BundleError> {
        let mut this = Self::default();
        for journal in inventory.journals.keys() {
            let files = inventory.files_of_run(journal)?;
            let Some((digest, bytes)) = files.get("plan.json").and_then(|plan| inventory.plans.get_key_value(plan))
            else {
                continue;
            };
            let place = BundlePath::Plan(*digest).to_string();
            let bytes = bytes.bytes().map_err(BundleError::io("unpacking a plan"))?;
            let plan = json::parse(&bytes).and_then(|plan: Plan| plan.checked());
            drop(bytes);
            let plan = plan.map_err(|what| BundleError::contents(&place, what))?;
            for shard in plan.missing_shards(&inventory.cells) {
                this.missing_shards.insert((plan.experiment.clone(), shard));
            }
            for cell in plan.cells {
                if asked.contains(&cell.key) {
                    let planned = ((cell.axes, cell.round), plan.platform, cell.reason);
                    match this.cells.entry(cell.key) {
                        // Another shard's run says why it is to run.
                        Entry::Occupied(_) if cell.reason == Reason::OtherShard => {}
                        entry => drop(entry.insert_entry(planned)),
                    }
                } else if !inventory.cells.contains(&cell.key) {
                    this.left_out.insert(cell.key);
                }
            }
            this.experiments.insert(plan.experiment);
        }
        Ok(this)
    }
}
