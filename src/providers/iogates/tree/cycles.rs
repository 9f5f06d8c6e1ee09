//! Breaks cycles of folders, which a hostile or broken listing may contain: a walk of such a tree would never end.

/// `parents[i]` is the parent of entry `i`; none is the root. Each cycle is cut at one entry, which gets the root as its
/// parent. One pass: each entry is visited once.
pub fn break_cycles(mut parents: Vec<Option<usize>>) -> Vec<Option<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Visit {
        No,
        OnThisClimb,
        Before,
    }
    let mut seen = vec![Visit::No; parents.len()];
    for start in 0..parents.len() {
        let mut climb = Vec::new();
        let mut here = Some(start);
        while let Some(at) = here {
            match seen.get(at) {
                Some(Visit::No) => {
                    climb.push(at);
                    seen[at] = Visit::OnThisClimb;
                    here = parents.get(at).copied().flatten();
                }
                Some(Visit::OnThisClimb) => {
                    parents[at] = None;
                    break;
                }
                Some(Visit::Before) | None => break,
            }
        }
        for at in climb {
            seen[at] = Visit::Before;
        }
    }
    parents
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_circle_is_cut_once_and_the_rest_stays() {
        // 0 hangs on the circle 1 -> 2 -> 1; 3 lies in itself; 4 and 5 are as they should be.
        let told = vec![Some(1), Some(2), Some(1), Some(3), None, Some(4)];
        assert_eq!(break_cycles(told), [Some(1), None, Some(1), None, None, Some(4)]);
    }
}
