// Package destination holds what the publishers below it share. Each of them carries events to one kind of destination, returns
// one error an event, and keeps nothing.
package destination

import "iter"

// Batches cuts messages of the given sizes into runs that one call may carry: at most entries of them and bytes together. It
// yields the bounds [start, end) of each run, in order. A message larger than bytes is a run of its own: the caller refuses it.
func Batches(sizes []int, entries, bytes int) iter.Seq2[int, int] {
	return func(yield func(start, end int) bool) {
		for start := 0; start < len(sizes); {
			end, size := start+1, sizes[start]
			for end < len(sizes) && end-start < entries && size+sizes[end] <= bytes {
				size += sizes[end]
				end++
			}
			if !yield(start, end) {
				return
			}
			start = end
		}
	}
}
