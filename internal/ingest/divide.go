package ingest

import (
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// maxValue is how long the value of an event may be so that every destination takes it: SNS takes 256 KiB, and as a string in an
// envelope a value gets at most twice as long.
const maxValue = 120 << 10

// divide cuts a value that is longer than limit into values of its form, each with a part of its longest list: the history of a
// number may bring thousands of messages at once. What has no list to cut stays whole.
func divide(v rawjson.Value, limit int) []rawjson.Value { return cut(v, limit, maxDepth) }

// maxDepth reaches the messages of a history: value, history, its parts, threads, one of them, its messages.
const maxDepth = 6

// cut divides lists within depth levels of objects and lists. What stands around a list is repeated in every part, so it may take
// no more than half of the room.
func cut(v rawjson.Value, limit, depth int) []rawjson.Value {
	switch {
	case len(v) <= limit || depth == 0:
		return []rawjson.Value{v}
	case v.IsArray():
		return cutList(v, limit, depth)
	case v.IsObject():
		return cutObject(v, limit, depth)
	default:
		return []rawjson.Value{v}
	}
}

func cutObject(v rawjson.Value, limit, depth int) []rawjson.Value {
	longest, at, i := rawjson.Value(nil), 0, 0
	for _, member := range v.Members() {
		if len(member) > len(longest) {
			longest, at = member, i
		}
		i++
	}
	room := limit - (len(v) - len(longest))
	if room < limit/2 {
		return []rawjson.Value{v}
	}
	parts := cut(longest, room, depth-1)
	if len(parts) == 1 {
		return []rawjson.Value{v}
	}
	for p := range parts {
		parts[p] = replace(v, at, parts[p])
	}
	return parts
}

// replace writes an object again with another value for its n-th member.
func replace(v rawjson.Value, n int, value rawjson.Value) rawjson.Value {
	b, i := make(rawjson.Value, 1, len(v)), 0
	b[0] = '{'
	for name, member := range v.Members() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(event.AppendString(b, name), ':')
		switch {
		case i == n:
			b = append(b, value...)
		case member == nil:
			b = append(b, null...)
		default:
			b = append(b, member...)
		}
		i++
	}
	return append(b, '}')
}

func cutList(v rawjson.Value, limit, depth int) (parts []rawjson.Value) {
	part := rawjson.Value{'['}
	flush := func() {
		if len(part) > 1 {
			parts = append(parts, append(part, ']'))
			part = rawjson.Value{'['}
		}
	}
	for _, e := range v.Elements() {
		if e == nil {
			e = null
		}
		if len(part)+len(e)+2 > limit {
			flush()
		}
		if len(e)+2 > limit {
			for _, piece := range cut(e, limit-2, depth-1) {
				parts = append(parts, append(append(rawjson.Value{'['}, piece...), ']'))
			}
			continue
		}
		if len(part) > 1 {
			part = append(part, ',')
		}
		part = append(part, e...)
	}
	flush()
	return parts
}
