{{ rows_of_main(ref('figure_fiscal')) }}
