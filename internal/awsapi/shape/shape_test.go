package shape

import (
	"reflect"
	"strings"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

func TestOfRefuses(t *testing.T) {
	t.Parallel()
	type loop struct {
		Self []loop `json:"self"`
	}
	for _, tc := range []struct {
		name string
		of   any
		want string
	}{
		{"not a struct", 1, "not a struct"},
		{"a float", struct {
			F float64 `json:"f"`
		}{}, "F: type float64"},
		{"a channel in a list", struct {
			C []chan int `json:"c"`
		}{}, "C: type chan int"},
		{"bad length", struct {
			S string `json:"s" len:"a..b"`
		}{}, "S: "},
		{"bad upper bound", struct {
			S string `json:"s" len:"1..b"`
		}{}, "S: "},
		{"bad pattern", struct {
			S string `json:"s" pattern:"("`
		}{}, "S: "},
		{"bad pattern to use", struct {
			S string `json:"s" pattern:"a" match:"("`
		}{}, "S: "},
		{"name twice", struct {
			A string `json:"s"`
			B string `query:"s"`
		}{}, "B: the name is taken"},
		{"contains itself", loop{}, "nests too deep"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Of(reflect.TypeOf(tc.of)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Of = %v, want an error with %q", err, tc.want)
			}
		})
	}
}

type sample struct {
	Size    string            `json:"size" enum:"S|M|L"`
	Code    string            `json:"code,omitempty" pattern:"[a-z]+"`
	Loose   string            `json:"loose" pattern:"[a-z]+" match:"[a-z0-9]+"`
	Name    string            `json:"name" len:"..3"`
	Secret  []string          `json:"secret" each:"..3" len:"..1" sensitive:"true"`
	List    []string          `json:"list" len:"..1"`
	Labels  map[string]string `json:"labels" len:"1.."`
	Pointer *int              `json:"pointer" range:"5.."`
	Values  map[string]string `json:"values" each:"1..2"`

	Apps    []map[string]string `json:"apps" each:"0..1/1..2"`
	Skipped chan int
}

func TestChecker(t *testing.T) {
	t.Parallel()
	s, err := Of(reflect.TypeFor[sample]())
	if err != nil {
		t.Fatal(err)
	}
	four := 4
	const fails = " failed to satisfy constraint: Member must "
	for _, tc := range []struct {
		name string
		in   sample
		see  string
		want string // "" for none
	}{
		{"nothing seen, nothing wrong", sample{Size: "XXL"}, "", ""},
		{"value of the set", sample{Size: "M"}, "size", ""},
		{"value outside the set", sample{Size: "XXL"}, "size", "Value 'XXL' at 'size'" + fails + "satisfy enum value set: [S, M, L]"},
		{"whole string matches", sample{Code: "abc"}, "code", ""},
		{"part of the string matches", sample{Code: "abc1"}, "code", "Value 'abc1' at 'code'" + fails + "satisfy regular expression pattern: [a-z]+"},
		{"line break after a match", sample{Code: "abc\n"}, "code", "Value 'abc\n' at 'code'" + fails + "satisfy regular expression pattern: [a-z]+"},
		{"looser than the model", sample{Loose: "abc1"}, "loose", ""},
		{"shows the model's pattern", sample{Loose: "-"}, "loose", "Value '-' at 'loose'" + fails + "satisfy regular expression pattern: [a-z]+"},
		{"characters, not bytes", sample{Name: "äöü"}, "name", ""},
		{"too long", sample{Name: "äöüß"}, "name", "Value 'äöüß' at 'name'" + fails + "have length less than or equal to 3"},
		{"long values are cut", sample{Name: strings.Repeat("ä", 300)}, "name",
			"Value '" + strings.Repeat("ä", 256) + "…' at 'name'" + fails + "have length less than or equal to 3"},
		{"sensitive items", sample{Secret: []string{"1234"}}, "secret", "Value at 'secret.1.member'" + fails + "have length less than or equal to 3"},
		{"sensitive list", sample{Secret: []string{"1", "2"}}, "secret", "Value at 'secret'" + fails + "have length less than or equal to 1"},
		{"list", sample{List: []string{"1", "2"}}, "list", "Value '[1, 2]' at 'list'" + fails + "have length less than or equal to 1"},
		{"map", sample{Labels: map[string]string{}}, "labels", "Value at 'labels'" + fails + "have length greater than or equal to 1"},
		{"values of a map", sample{Values: map[string]string{"b": "", "a": "ok"}}, "values", "Value '' at 'values.b'" + fails + "have length greater than or equal to 1"},
		{"maps in a list", sample{Apps: []map[string]string{{"a": "1", "b": "2"}}}, "apps", "Value at 'apps.1.member'" + fails + "have length less than or equal to 1"},
		{"values of maps in a list", sample{Apps: []map[string]string{{"a": "123"}}}, "apps", "Value '123' at 'apps.1.member.a'" + fails + "have length less than or equal to 2"},
		{"behind a pointer", sample{Pointer: &four}, "pointer", "Value '4' at 'pointer'" + fails + "have value greater than or equal to 5"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var seen Seen
			if i, ok := s.Find([]byte(tc.see)); ok {
				seen.Add(i)
			} else if tc.see != "" {
				t.Fatalf("no member %q", tc.see)
			}
			var c Checker
			c.Struct(s, reflect.ValueOf(tc.in), seen)
			err := c.Err()
			if tc.want == "" && err != nil {
				t.Errorf("err = %v, want none", err)
			}
			if tc.want != "" && (!fault.Is(err, fault.Validation) || err.Error() != "1 validation error detected: "+tc.want) {
				t.Errorf("err = %v\nwant 1 validation error detected: %s", err, tc.want)
			}
		})
	}
}

func TestCheckerNamesSoMany(t *testing.T) {
	t.Parallel()
	s, err := Of(reflect.TypeFor[struct {
		Words []string `json:"words" each:"1.."`
	}]())
	if err != nil {
		t.Fatal(err)
	}
	var c Checker
	c.Struct(s, reflect.ValueOf(struct{ Words []string }{make([]string, 1000)}), 1)
	got := c.Err().Error()
	if !strings.HasPrefix(got, "1000 validation errors detected: ") || strings.Count(got, "failed to satisfy") != 100 || !strings.HasSuffix(got, "; and 900 more") {
		t.Errorf("err = %.100s … %s", got, got[len(got)-100:])
	}
}
