# A network with public and private subnets and a security group that closes
# them to the outside. Nothing comes in from there but what ingress names;
# inside the network everything is open, as Azure has it.
# ISO 27001: A.8.20, A.8.21, A.8.22

data "azurerm_location" "here" {
  location = local.location
}

locals {
  # The address block is cut into sixteen: the first half for public subnets,
  # the second for private ones, so that adding a zone moves nobody.
  public  = var.public_subnets != null ? var.public_subnets : [for i in range(var.zones) : cidrsubnet(var.cidr, 4, i)]
  private = var.private_subnets != null ? var.private_subnets : [for i in range(var.zones) : cidrsubnet(var.cidr, 4, 8 + i)]

  offered = sort(data.azurerm_location.here.zone_mappings[*].logical_zone)
  zones   = slice(local.offered, 0, min(var.zones, length(local.offered)))
}

resource "azurerm_virtual_network" "this" {
  name                = var.name
  resource_group_name = local.group
  location            = local.location
  address_space       = [var.cidr]
  tags                = var.tags

  lifecycle {
    precondition {
      condition     = length(local.zones) == var.zones
      error_message = "zones is ${var.zones}, but the region has only ${length(local.zones)}."
    }
  }
}

# Without default outbound access nothing in a subnet gets out unasked, which
# Azure otherwise lets it do.
resource "azurerm_subnet" "public" {
  count = length(local.public)

  name                              = "${var.name}-public-${count.index + 1}"
  resource_group_name               = local.group
  virtual_network_name              = azurerm_virtual_network.this.name
  address_prefixes                  = [local.public[count.index]]
  default_outbound_access_enabled   = false
  private_endpoint_network_policies = "NetworkSecurityGroupEnabled"
}

resource "azurerm_subnet" "private" {
  count = length(local.private)

  name                              = "${var.name}-private-${count.index + 1}"
  resource_group_name               = local.group
  virtual_network_name              = azurerm_virtual_network.this.name
  address_prefixes                  = [local.private[count.index]]
  default_outbound_access_enabled   = false
  private_endpoint_network_policies = "NetworkSecurityGroupEnabled"
}
