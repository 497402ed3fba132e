variable "name" {
  description = "Name of the bucket, which nobody else in the world may have."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "name must have 3 to 63 lowercase letters, digits and dashes, and neither begin nor end with a dash, nor have two dashes in a row."
  }
}

variable "versioning" {
  description = "Whether objects that are overwritten or deleted can be brought back."
  type        = bool
  default     = true
}

variable "encryption_key_id" {
  description = "Key that encrypts the objects; null for a key that the cloud keeps."
  type        = string
  default     = null
}

variable "force_destroy" {
  description = "Whether destroying the bucket deletes the objects in it; without it a bucket with objects stays."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of everything that can have them."
  type        = map(string)
  default     = {}
}
