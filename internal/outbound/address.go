package outbound

import "net/netip"

// special lists the networks that the address classes of net/netip do not cover and that no stranger's URL may lead to: shared,
// reserved and documentation space of IANA's special-purpose registries, and the one cloud metadata service with a public
// address.
var special = []struct {
	network netip.Prefix
	name    string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "unspecified"},
	{netip.MustParsePrefix("100.64.0.0/10"), "carrier-grade NAT"},
	{netip.MustParsePrefix("168.63.129.16/32"), "metadata service"},
	{netip.MustParsePrefix("192.0.0.0/24"), "reserved"},
	{netip.MustParsePrefix("192.0.2.0/24"), "documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "reserved"},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmarking"},
	{netip.MustParsePrefix("198.51.100.0/24"), "documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "documentation"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved"},
	{netip.MustParsePrefix("2001::/23"), "reserved"}, // Teredo and other protocol assignments
	{netip.MustParsePrefix("2001:db8::/32"), "documentation"},
	{netip.MustParsePrefix("3fff::/20"), "documentation"},
}

var (
	globalIPv6 = netip.MustParsePrefix("2000::/3")      // all of IPv6 that is routed on the Internet
	nat64      = netip.MustParsePrefix("64:ff9b::/96")  // IPv4 behind a translator, in the last four bytes
	sixToFour  = netip.MustParsePrefix("2002::/16")     // IPv4 behind a tunnel, in bytes 2 to 5
	mapped     = netip.MustParsePrefix("::ffff:0:0/96") // IPv4 in IPv6 clothes
)

// classify names the kind of an address that is not on the public Internet, or returns "". IPv4 within IPv6 counts as what it
// leads to.
func classify(a netip.Addr) string {
	a = a.WithZone("")
	if a.Is6() {
		b := a.As16()
		switch {
		case mapped.Contains(a), nat64.Contains(a):
			return classify(netip.AddrFrom4([4]byte(b[12:16])))
		case sixToFour.Contains(a):
			return classify(netip.AddrFrom4([4]byte(b[2:6])))
		}
	}
	switch {
	case !a.IsValid(), a.IsUnspecified():
		return "unspecified"
	case a.IsLoopback():
		return "loopback"
	case a.IsPrivate():
		return "private"
	case a.IsLinkLocalUnicast():
		return "link-local"
	case a.IsMulticast():
		return "multicast"
	}
	for _, s := range special {
		if s.network.Contains(a) {
			return s.name
		}
	}
	if a.Is6() && !globalIPv6.Contains(a) {
		return "reserved"
	}
	return ""
}
