{{ rows_of_variants(ref('rows_of_inequality')) }}
