"""The languages of panel, site and mails: what there is to translate, and the catalogues."""
