variable "subnet_ids" {
  type    = list(string)
  default = []
}

variable "instances" {
  type    = number
  default = 1
}

variable "password" {
  type      = string
  default   = ""
  sensitive = true
}

output "hosts" {
  value = []
}

output "url" {
  value = ""
}
