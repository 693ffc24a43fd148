// Package content checks what a business puts into a message the way Meta's /messages edge does before it answers: required
// members, types, lengths and counts, and a template's parameters against its approved definition.
//
// It is pure: no clock, no state, no http. What Meta only finds out later (reach, windows, media) is not decided here.
package content
