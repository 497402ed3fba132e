resource "azurerm_private_dns_a_record" "this" {
  for_each = local.inner.A

  name                = each.value.name
  resource_group_name = local.group
  zone_name           = local.zone
  ttl                 = each.value.ttl
  tags                = var.tags
  records             = each.value.values
}

resource "azurerm_private_dns_aaaa_record" "this" {
  for_each = local.inner.AAAA

  name                = each.value.name
  resource_group_name = local.group
  zone_name           = local.zone
  ttl                 = each.value.ttl
  tags                = var.tags
  records             = each.value.values
}

resource "azurerm_private_dns_cname_record" "this" {
  for_each = local.inner.CNAME

  name                = each.value.name
  resource_group_name = local.group
  zone_name           = local.zone
  ttl                 = each.value.ttl
  tags                = var.tags
  record              = one(each.value.values)
}

resource "azurerm_private_dns_mx_record" "this" {
  for_each = local.inner.MX

  name                = each.value.name
  resource_group_name = local.group
  zone_name           = local.zone
  ttl                 = each.value.ttl
  tags                = var.tags

  dynamic "record" {
    for_each = each.value.values

    content {
      preference = split(" ", record.value)[0]
      exchange   = split(" ", record.value)[1]
    }
  }
}

resource "azurerm_private_dns_ptr_record" "this" {
  for_each = local.inner.PTR

  name                = each.value.name
  resource_group_name = local.group
  zone_name           = local.zone
  ttl                 = each.value.ttl
  tags                = var.tags
  records             = each.value.values
}

resource "azurerm_private_dns_srv_record" "this" {
  for_each = local.inner.SRV

  name                = each.value.name
  resource_group_name = local.group
  zone_name           = local.zone
  ttl                 = each.value.ttl
  tags                = var.tags

  dynamic "record" {
    for_each = each.value.values

    content {
      priority = split(" ", record.value)[0]
      weight   = split(" ", record.value)[1]
      port     = split(" ", record.value)[2]
      target   = split(" ", record.value)[3]
    }
  }
}

resource "azurerm_private_dns_txt_record" "this" {
  for_each = local.inner.TXT

  name                = each.value.name
  resource_group_name = local.group
  zone_name           = local.zone
  ttl                 = each.value.ttl
  tags                = var.tags

  dynamic "record" {
    for_each = each.value.values

    content {
      value = record.value
    }
  }
}
