// Package definition has the rules by which WhatsApp takes the definition of a message template: the parts it may have, their
// lengths, variables, examples and buttons; and the library of ready-made templates. It knows nothing of a template's life.
//
// The rules are those of Meta's template reference. A complaint is code 100 with a subcode of the 2388xxx family, whose title and
// text for users are the only useful words, as at Meta; a word outside a closed list is refused the way Graph checks arguments.
package definition
