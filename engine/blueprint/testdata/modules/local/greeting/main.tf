variable "name" {
  type    = string
  default = "world"
}

output "message" {
  value = "hello ${var.name}"
}
