// Package archtest holds the tests that look at the repository as a whole: who may import whom, and that documents do not
// promise what the code does not have. It contains no code that anything runs.
package archtest
