mock_provider "google" {}

variables {
  name = "example.com"
  records = [
    { name = "@", type = "MX", values = ["10 mail.example.com."] },
    { name = "www", type = "A", ttl = 60, values = ["192.0.2.10", "192.0.2.11"] },
  ]
}

run "answers_everyone" {
  assert {
    condition     = output.records == { "@ MX" = "example.com", "www A" = "www.example.com" }
    error_message = "records are ${jsonencode(output.records)}"
  }
  assert {
    condition     = google_dns_record_set.this["@ MX"].name == "example.com." && google_dns_managed_zone.this.visibility == "public"
    error_message = "mail goes elsewhere"
  }
}

run "writes_values_as_google_wants_them" {
  command = plan

  variables {
    records = [
      { name = "shop", type = "CNAME", values = ["www.example.com"] },
      { name = "@", type = "TXT", values = ["v=spf1 -all", join("", [for i in range(300) : "x"])] },
    ]
  }

  assert {
    condition     = one(google_dns_record_set.this["shop CNAME"].rrdatas) == "www.example.com." && google_dns_record_set.this["@ TXT"].rrdatas[0] == "\"v=spf1 -all\""
    error_message = "a value is written wrongly"
  }
  assert {
    condition     = [for piece in split(" ", google_dns_record_set.this["@ TXT"].rrdatas[1]) : length(piece)] == [257, 47]
    error_message = "long text is ${google_dns_record_set.this["@ TXT"].rrdatas[1]}"
  }
}

run "refuses_to_sign_a_private_zone" {
  command = plan

  variables {
    private     = true
    network_ids = ["projects/web/global/networks/web"]
    dnssec      = true
  }

  expect_failures = [google_dns_managed_zone.this]
}

run "refuses_a_private_zone_that_nobody_sees" {
  command = plan

  variables {
    private = true
  }

  expect_failures = [google_dns_managed_zone.this]
}

run "refuses_networks_of_a_public_zone" {
  command = plan

  variables {
    network_ids = ["projects/web/global/networks/web"]
  }

  expect_failures = [google_dns_managed_zone.this]
}
