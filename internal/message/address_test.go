package message

import (
	"strings"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

func TestDigits(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"+14255550150": "14255550150", "14255550150": "14255550150", " +1 (425) 555-0150 ": "14255550150", "+68340": "68340",
		"": "", "+": "", "+1425": "", "1234567890123456": "", "+1425x5550150": "", "++14255550150": "", "١٤٢٥٥٥٥٠١٥٠": "", "1.425.555.0150": "",
	}
	for in, want := range tests {
		if got := Digits(in); got != want {
			t.Errorf("Digits(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestIsUserID(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		"GB.88120045511209": true, "US.ENT.aZ9": true, "GB." + strings.Repeat("a", 128): true,
		"": false, "GB": false, "GB.": false, "gb.1": false, "GB-1": false, "GB.1-2": false, "GB.ENT.": false, "GBR.1": false,
		"GB." + strings.Repeat("a", 129): false, "+447700900123": false,
	}
	for in, want := range tests {
		if got := IsUserID(in); got != want {
			t.Errorf("IsUserID(%q) = %v, want %v", in, got, want)
		}
	}
}

func TestCheckVersion(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"v20.0", "v23.0", "v26.0", "v99.0", "v100.0"} {
		if err := CheckVersion(good); err != nil {
			t.Errorf("CheckVersion(%q): %v", good, err)
		}
	}
	for _, bad := range []string{"", "v", "20.0", "v20", "v20.1", "v19.0", "v9.0", "v020.0", "V20.0", "v20.0 ", "v-20.0", "v2x.0", "v9999.0",
		"v20.0/../v1.0", "v٢٠.0"} {
		if err := CheckVersion(bad); !fault.Is(err, fault.InvalidParameters) {
			t.Errorf("CheckVersion(%q) = %v, want invalid parameters", bad, err)
		}
	}
}

func TestWithOpaque(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"object", `{"a":1}`, `{"biz_opaque_callback_data":"id-1","a":1}`},
		{"space", " {\n\t\"a\": 1 }\n", " {\"biz_opaque_callback_data\":\"id-1\",\n\t\"a\": 1 }\n"},
		{"empty object", `{ }`, `{"biz_opaque_callback_data":"id-1" }`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := []byte(tt.in)
			if got := string(WithOpaque(in, "id-1")); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			if string(in) != tt.in {
				t.Error("the input changed")
			}
		})
	}
}
