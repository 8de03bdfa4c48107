{{ rows_of_variants(ref('figure_fiscal')) }}
