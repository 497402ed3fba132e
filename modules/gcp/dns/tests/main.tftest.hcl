mock_provider "google" {}

variables {
  name = "example.com"
  records = [
    { name = "www", type = "A", values = ["192.0.2.10"] },
    { name = "", type = "MX", values = ["10 mail.example.com."] },
  ]
}

run "answers_everyone" {
  assert {
    condition     = output.records == { "www A" = "www.example.com", "MX" = "example.com" }
    error_message = "records are ${jsonencode(output.records)}"
  }
  assert {
    condition     = google_dns_record_set.this["MX"].name == "example.com." && google_dns_managed_zone.this.visibility == "public"
    error_message = "mail goes elsewhere"
  }
}

run "writes_values_as_google_wants_them" {
  command = plan

  variables {
    records = [{ name = "", type = "CNAME", values = ["www.example.com"] }, { name = "t", type = "TXT", values = ["v=spf1 -all"] }]
  }

  assert {
    condition     = one(google_dns_record_set.this["CNAME"].rrdatas) == "www.example.com." && one(google_dns_record_set.this["t TXT"].rrdatas) == "\"v=spf1 -all\""
    error_message = "a value is written wrongly"
  }
}

run "refuses_to_sign_a_private_zone" {
  command = plan

  variables {
    private = true
    dnssec  = true
  }

  expect_failures = [google_dns_managed_zone.this]
}
