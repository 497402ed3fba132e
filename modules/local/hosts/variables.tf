variable "names" {
  description = "Names of the hosts."
  type        = list(string)
  default     = ["localhost"]

  validation {
    condition     = length(distinct(var.names)) == length(var.names)
    error_message = "names must be distinct: each is one host of the inventory."
  }
  validation {
    condition     = alltrue([for n in var.names : can(regex("^[A-Za-z0-9][A-Za-z0-9._-]*$", n))])
    error_message = "names may hold letters, digits, dots, dashes and underscores, and begin with a letter or digit."
  }
}

variable "vars" {
  description = "Ansible variables of every host, beside the one that makes its connection local."
  type        = map(string)
  default     = {}
}
