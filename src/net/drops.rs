//! Datagrams that the kernel dropped because a socket of ours was full.

use std::net::SocketAddr;

/// The drop counter of the UDP socket with this inode: the last column of its line in `/proc/net/udp` or
/// `/proc/net/udp6`. `None` where there is no such file or line.
///
/// `SO_RXQ_OVFL` would tell the number with the next datagram that gets in, and so never of the last ones.
pub fn own_drops(local: &SocketAddr, inode: u64) -> Option<u64> {
    let table = if local.is_ipv4() { "/proc/net/udp" } else { "/proc/net/udp6" };
    drops_in(&std::fs::read_to_string(table).ok()?, inode)
}

fn drops_in(table: &str, inode: u64) -> Option<u64> {
    const INODE_COLUMN: usize = 9;
    let inode = inode.to_string();
    let line =
        table.lines().find(|line| line.split_whitespace().nth(INODE_COLUMN) == Some(&inode))?;
    line.split_whitespace().next_back()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 1162: 0100007F:9C40 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 23456 2 0000000000000000 344
 1163: 0100007F:9C41 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 2345 2 0000000000000000 0
";

    #[test]
    fn the_line_is_found_by_its_inode() {
        assert_eq!(drops_in(TABLE, 23456), Some(344));
        assert_eq!(drops_in(TABLE, 2345), Some(0));
        assert_eq!(drops_in(TABLE, 344), None);
        assert_eq!(drops_in("", 1), None);
    }
}
