stack "syntax" {
  labels = { a = , } # ERROR: Invalid expression
}
