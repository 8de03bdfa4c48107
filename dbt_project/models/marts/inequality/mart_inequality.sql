{{ rows_of_main(ref('rows_of_inequality')) }}
