mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
}

variables {
  name = "example.com"
}

run "shows_a_private_zone_to_its_networks_only" {
  command = plan

  variables {
    private     = true
    network_ids = ["vpc-11111111", "vpc-22222222"]
  }

  assert {
    condition     = toset(aws_route53_zone.this.vpc[*].vpc_id) == toset(["vpc-11111111", "vpc-22222222"])
    error_message = "networks are ${jsonencode(aws_route53_zone.this.vpc[*].vpc_id)}"
  }
  assert {
    condition     = length(output.name_servers) == 0
    error_message = "servers are ${jsonencode(output.name_servers)}"
  }
}

run "signs_a_zone_when_asked" {
  command = plan

  variables {
    dnssec = true
  }

  assert {
    condition     = aws_kms_key.dnssec[0].customer_master_key_spec == "ECC_NIST_P256" && aws_kms_key.dnssec[0].key_usage == "SIGN_VERIFY"
    error_message = "key is ${aws_kms_key.dnssec[0].customer_master_key_spec} for ${aws_kms_key.dnssec[0].key_usage}"
  }
  assert {
    condition     = length(aws_route53_hosted_zone_dnssec.this) == 1
    error_message = "the zone is not signed"
  }
}

run "refuses_to_sign_where_the_cloud_has_no_keys_for_it" {
  command = plan

  override_data {
    target = data.aws_region.current
    values = { name = "eu-west-1" }
  }

  variables {
    dnssec = true
  }

  expect_failures = [aws_kms_key.dnssec]
}

run "refuses_to_sign_a_private_zone" {
  command = plan

  variables {
    private     = true
    network_ids = ["vpc-11111111"]
    dnssec      = true
  }

  expect_failures = [aws_kms_key.dnssec]
}

run "refuses_a_private_zone_that_nobody_sees" {
  command = plan

  variables {
    private = true
  }

  expect_failures = [aws_route53_zone.this]
}

run "refuses_networks_of_a_public_zone" {
  command = plan

  variables {
    network_ids = ["vpc-11111111"]
  }

  expect_failures = [aws_route53_zone.this]
}

run "refuses_a_name_without_a_dot" {
  command = plan

  variables {
    name = "example"
  }

  expect_failures = [var.name]
}

run "refuses_a_name_that_ends_in_a_dot" {
  command = plan

  variables {
    name = "example.com."
  }

  expect_failures = [var.name]
}

run "refuses_a_record_by_its_full_name" {
  command = plan

  variables {
    records = [{ name = "www.example.com.", type = "A", values = ["192.0.2.10"] }]
  }

  expect_failures = [var.records]
}

run "refuses_a_type_it_does_not_know" {
  command = plan

  variables {
    records = [{ name = "www", type = "WKS", values = ["192.0.2.10"] }]
  }

  expect_failures = [var.records]
}

run "refuses_a_record_without_a_value" {
  command = plan

  variables {
    records = [{ name = "www", type = "A", values = [] }]
  }

  expect_failures = [var.records]
}

run "refuses_two_records_of_one_name_and_type" {
  command = plan

  variables {
    records = [{ name = "www", type = "A", values = ["192.0.2.10"] }, { name = "www", type = "A", values = ["192.0.2.11"] }]
  }

  expect_failures = [var.records]
}

run "refuses_the_zone_itself_by_no_name" {
  command = plan

  variables {
    records = [{ name = "", type = "A", values = ["192.0.2.10"] }]
  }

  expect_failures = [var.records]
}

run "refuses_mail_without_a_preference" {
  command = plan

  variables {
    records = [{ name = "@", type = "MX", values = ["mail.example.com."] }]
  }

  expect_failures = [var.records]
}

run "refuses_text_in_quotes" {
  command = plan

  variables {
    records = [{ name = "@", type = "TXT", values = ["\"v=spf1 -all\""] }]
  }

  expect_failures = [var.records]
}

run "refuses_an_alias_of_two_names" {
  command = plan

  variables {
    records = [{ name = "www", type = "CNAME", values = ["a.example.com.", "b.example.com."] }]
  }

  expect_failures = [var.records]
}
