variable "name" {
  description = "Name of the container; its storage account is named after it."
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
  description = "Key of a Key Vault that encrypts the objects, which encryption_identity_id must be allowed to use; null for a key that the cloud keeps."
  type        = string
  default     = null

  validation {
    condition     = var.encryption_key_id == null || can(regex("^https://", var.encryption_key_id))
    error_message = "encryption_key_id must be the address of a key, such as https://vault.vault.azure.net/keys/name."
  }
}

variable "encryption_identity_id" {
  description = "User-assigned identity that may use encryption_key_id; needed with it."
  type        = string
  default     = null
}

variable "force_destroy" {
  description = "Whether the objects may be deleted with what holds them; without it a lock keeps all but Terraform from that."
  type        = bool
  default     = false
}

variable "resource_group_name" {
  description = "Resource group that everything is put in; null for one of its own, named after name."
  type        = string
  default     = null
}

variable "location" {
  description = "Where everything is, such as westeurope; null for where the resource group is, which must be given then."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that can have them."
  type        = map(string)
  default     = {}
}
