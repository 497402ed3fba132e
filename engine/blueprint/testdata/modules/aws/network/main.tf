variable "name" {
  type = string
}

variable "cidr" {
  type = string
}

variable "zones" {
  type    = list(string)
  default = []
}

variable "subnets" {
  type = map(object({
    bits   = number
    public = optional(bool, false)
  }))
  default = {}
}

output "private_subnet_ids" {
  value = []
}

output "network_id" {
  value = ""
}
