variable "name" {
  description = "Name of the web tier."
  type        = string
}

variable "bucket_name" {
  description = "Bucket that holds the pages."
  type        = string
}

variable "security_group_id" {
  description = "Security group of the machines."
  type        = string
}

variable "open_to" {
  description = "Address block that may reach the machines."
  type        = string

  validation {
    condition     = can(cidrnetmask(var.open_to))
    error_message = "open_to must be an IPv4 block, such as 10.20.0.0/16."
  }
}
