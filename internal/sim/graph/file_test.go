package graph

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadFile(t *testing.T) {
	t.Parallel()
	body := strings.ReplaceAll(`--x
Content-Disposition: form-data; name="asset_type"

FLOW_JSON
--x
Content-Disposition: form-data; name="file"; filename="flow.json"
Content-Type: application/json

{"version":"7.0"}
--x--
`, "\n", "\r\n")
	r, err := http.NewRequest(http.MethodPost, "http://graph.test/1/assets?name=flow.json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	params, raw, err := Read(r, 1000)
	if err != nil {
		t.Fatal(err)
	}
	want := Params{"name": "flow.json", "asset_type": "FLOW_JSON",
		"file": File{Name: "flow.json", Type: "application/json", Data: []byte(`{"version":"7.0"}`)}}
	if diff := cmp.Diff(want, params); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
	if string(raw) != `{"asset_type":"FLOW_JSON"}` {
		t.Errorf("kept body = %s, want it without the file", raw)
	}
}
