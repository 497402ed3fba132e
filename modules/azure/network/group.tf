# Everything goes into the group that is named or into one of its own.
data "azurerm_resource_group" "given" {
  count = var.resource_group_name == null ? 0 : 1

  name = var.resource_group_name
}

resource "azurerm_resource_group" "own" {
  count = var.resource_group_name == null ? 1 : 0

  name     = "${replace(var.name, ".", "-")}-network"
  location = var.location
  tags     = var.tags

  lifecycle {
    precondition {
      condition     = var.location != null
      error_message = "location or resource_group_name must be given, to say where everything is."
    }
  }
}

locals {
  group    = one(concat(data.azurerm_resource_group.given[*].name, azurerm_resource_group.own[*].name))
  location = var.location != null ? var.location : one(data.azurerm_resource_group.given[*].location)
}
