# A zone of names and its records, for everyone or for the networks that are
# named.
# ISO 27001: A.8.20, A.8.21

locals {
  public = { for type in local.types : type => { for key, r in local.records : key => r if r.type == type && !var.private } }
  inner  = { for type in local.types : type => { for key, r in local.records : key => r if r.type == type && var.private } }
  types  = ["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SRV", "TXT"]

  zone = one(concat(azurerm_dns_zone.this[*].name, azurerm_private_dns_zone.this[*].name))
}

resource "azurerm_dns_zone" "this" {
  count = var.private ? 0 : 1

  name                = var.name
  resource_group_name = local.group
  tags                = var.tags

  lifecycle {
    precondition {
      condition     = length(var.network_ids) == 0
      error_message = "A private zone needs at least one network in network_ids, and a public one must have none."
    }
  }
}

resource "azurerm_private_dns_zone" "this" {
  count = var.private ? 1 : 0

  name                = var.name
  resource_group_name = local.group
  tags                = var.tags

  lifecycle {
    precondition {
      condition     = length(var.network_ids) > 0
      error_message = "A private zone needs at least one network in network_ids, and a public one must have none."
    }
    precondition {
      condition     = alltrue([for r in var.records : !contains(["CAA", "NS"], r.type)])
      error_message = "records must be of a type out of A, AAAA, CNAME, MX, PTR, SRV and TXT: a private zone of Azure has no others."
    }
  }
}

resource "azurerm_private_dns_zone_virtual_network_link" "this" {
  count = var.private ? length(var.network_ids) : 0

  name                  = "network-${count.index + 1}"
  resource_group_name   = local.group
  private_dns_zone_name = azurerm_private_dns_zone.this[0].name
  virtual_network_id    = var.network_ids[count.index]
  tags                  = var.tags
}
