package bus

import (
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// Input says what a target receives: the whole event, or one of these.
type Input struct {
	Constant string            `json:"constant,omitempty"` // a JSON text, whatever the event
	Path     string            `json:"path,omitempty"`     // the part of the event that it leads to
	Template string            `json:"template,omitempty"` // a text with placeholders such as <order>
	Paths    map[string]string `json:"paths,omitempty"`    // what placeholders of the template stand for
}

// Limits of inputs beyond those of the API's model. A template of 8 KB can name a whole event thousands of times, so what it makes is
// bounded, too.
const (
	maxPaths  = 100
	maxOutput = 2 * MaxSize
	reserved  = "aws."
)

// Placeholders that nobody has to define.
const (
	varRuleARN   = "aws.events.rule-arn"
	varRuleName  = "aws.events.rule-name"
	varIngestion = "aws.events.event.ingestion-time"
	varEvent     = "aws.events.event"      // without its detail
	varEventJSON = "aws.events.event.json" // the whole
)

// check reports why a target cannot have the input.
func (in *Input) check(target string) error {
	ways := 0
	for _, given := range []bool{in.Constant != "", in.Path != "", in.Template != "" || len(in.Paths) > 0} {
		if given {
			ways++
		}
	}
	if ways > 1 {
		return fault.New(fault.Validation, "Only one of Input, InputPath, or InputTransformer must be provided for target %s.", target)
	}
	if _, ok := rawjson.Parse([]byte(in.Constant)); in.Constant != "" && !ok {
		return fault.New(fault.Validation, "Invalid Input for target %s: it is no JSON text.", target)
	}
	if _, ok := parsePath(in.Path); in.Path != "" && !ok {
		return fault.New(fault.Validation, "Invalid InputPath for target %s: it is no JSON path.", target)
	}
	if len(in.Paths) > maxPaths {
		return fault.New(fault.Validation, "InputPathsMap for target %s has more than %d entries.", target, maxPaths)
	}
	for name, source := range in.Paths {
		if _, ok := parsePath(source); !ok || source == "" {
			return fault.New(fault.Validation, "Invalid InputPath for target %s: %.64s is no JSON path.", target, source)
		}
		if strings.HasPrefix(strings.ToLower(name), reserved) || !placeholderName(name) {
			return fault.New(fault.Validation, "InputPathsMap for target %s contains the name %.64s, which is reserved or not of A-Za-z0-9_-.", target, name)
		}
	}
	if in.Template == "" {
		return nil
	}
	t := parseTemplate(in.Template)
	for _, name := range t.names() {
		if _, ok := in.Paths[name]; !ok && !predefined(name) {
			return fault.New(fault.Validation, "InputTemplate for target %s contains invalid placeholder %s.", target, name)
		}
	}
	sample := func(name string) rawjson.Value {
		if name == varEvent || name == varEventJSON {
			return rawjson.Value("{}")
		}
		return rawjson.Value(`""`)
	}
	if !texts(t.render(sample, maxOutput)) {
		return fault.New(fault.Validation, "Invalid InputTemplate for target %s: it is no JSON text.", target)
	}
	return nil
}

func predefined(name string) bool {
	switch name {
	case varRuleARN, varRuleName, varIngestion, varEvent, varEventJSON:
		return true
	default:
		return false
	}
}

// render makes what a target of a rule receives of an event, which is a valid JSON object. An error is a fault.InvalidParameters:
// the event has not what the input asks for.
func (in *Input) render(evt []byte, ruleARN string, ingested time.Time) ([]byte, error) {
	switch {
	case in.Constant != "":
		return []byte(in.Constant), nil
	case in.Path != "":
		p, _ := parsePath(in.Path)
		if v := p.find(evt); v != nil {
			return v, nil
		}
		return nil, fault.New(fault.InvalidParameters, "the event has nothing at the InputPath %s", in.Path)
	case in.Template == "":
		return evt, nil
	}
	values := map[string]rawjson.Value{} // finding one is a walk along the event
	body := parseTemplate(in.Template).render(func(name string) rawjson.Value {
		v, ok := values[name]
		if !ok {
			v = in.value(name, evt, ruleARN, ingested)
			values[name] = v
		}
		return v
	}, maxOutput)
	if len(body) > maxOutput {
		return nil, fault.New(fault.InvalidParameters, "with this event the InputTemplate makes more than %d bytes", maxOutput)
	}
	if !texts(body) {
		return nil, fault.New(fault.InvalidParameters, "with this event the InputTemplate makes no JSON text")
	}
	return body, nil
}

// value is what a placeholder stands for, nil when there is no such thing.
func (in *Input) value(name string, evt []byte, ruleARN string, ingested time.Time) rawjson.Value {
	switch name {
	case varRuleARN:
		return event.AppendString(nil, ruleARN)
	case varRuleName:
		return event.AppendString(nil, ruleARN[strings.LastIndexByte(ruleARN, '/')+1:])
	case varIngestion:
		return event.AppendString(nil, ingested.UTC().Format(time.RFC3339))
	case varEvent:
		return withoutDetail(evt)
	case varEventJSON:
		return evt
	default:
		p, _ := parsePath(in.Paths[name])
		return p.find(evt)
	}
}

// withoutDetail is the event but for its detail. Its detail-type has another name there.
func withoutDetail(evt rawjson.Value) rawjson.Value {
	b := []byte{'{'}
	for name, v := range evt.Members() {
		key := string(name)
		switch key {
		case "detail":
			continue
		case "detail-type":
			key = "detailType"
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(event.AppendString(b, key), ':')
		b = append(b, v...)
	}
	return append(b, '}')
}
