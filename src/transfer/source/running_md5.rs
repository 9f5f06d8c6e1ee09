//! An MD5 that is computed piece by piece. It keeps the sums of the first mebibyte, the first two, the first four and so on, so
//! that two contents that differ early are recognised early.

/// Bytes.
const INITIAL_MARK: u64 = 1 << 20;

#[derive(Clone)]
pub(crate) struct RunningMd5 {
    context: md5::Context,
    len: u64,
    /// The offset of the next of `marks`.
    next: u64,
    marks: Vec<md5::Digest>,
}

impl Default for RunningMd5 {
    fn default() -> Self {
        RunningMd5 { context: md5::Context::new(), len: 0, next: INITIAL_MARK, marks: Vec::new() }
    }
}

impl RunningMd5 {
    pub(crate) fn consume(&mut self, mut bytes: &[u8]) {
        while let Some((head, rest)) = usize::try_from(self.next - self.len).ok().and_then(|left| bytes.split_at_checked(left)) {
            self.context.consume(head);
            self.len = self.next;
            self.marks.push(self.context.clone().finalize());
            self.next = self.next.saturating_mul(2);
            bytes = rest;
        }
        self.context.consume(bytes);
        self.len += bytes.len() as u64;
    }

    /// Bytes so far.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn digest(&self) -> md5::Digest {
        self.context.clone().finalize()
    }

    /// Lower-case hex.
    pub(crate) fn hex(&self) -> String {
        format!("{:x}", self.digest())
    }

    /// Can this be the beginning of `whole`, by the sums that both have?
    pub(crate) fn may_begin(&self, whole: &RunningMd5) -> bool {
        self.len <= whole.len && whole.marks.starts_with(&self.marks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(content: &[u8], piece: usize) -> RunningMd5 {
        let mut sum = RunningMd5::default();
        content.chunks(piece).for_each(|piece| sum.consume(piece));
        sum
    }

    #[test]
    fn the_sum_and_its_marks_do_not_depend_on_the_pieces() {
        let content: Vec<u8> = (0..5_u32 << 20).map(|n| (n >> 8) as u8 ^ n as u8).collect();
        let whole = of(&content, content.len());
        for piece in [300_000, 1 << 20, 4 << 20] {
            let again = of(&content, piece);
            assert_eq!((again.hex(), again.len()), (format!("{:x}", md5::compute(&content)), content.len() as u64));
            assert_eq!(again.marks, [1 << 20, 2 << 20, 4 << 20].map(|at| md5::compute(&content[..at])));
            assert!(again.may_begin(&whole));
        }
    }

    #[test]
    fn another_content_is_told_at_the_next_mark() {
        let content = vec![7; 5 << 20];
        let whole = of(&content, 1 << 20);
        let mut other = content.clone();
        other[1 << 20] = 8;
        assert!(of(&other[..(2 << 20) - 1], 1 << 20).may_begin(&whole));
        assert!(!of(&other[..2 << 20], 1 << 20).may_begin(&whole));
        assert!(!of(&[content, vec![7]].concat(), 1 << 20).may_begin(&whole), "longer");
    }
}
