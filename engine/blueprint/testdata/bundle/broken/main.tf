variable "a" {
  type = strng # ERROR: Invalid type specification
}
