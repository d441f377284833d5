"""The languages of panel, site and mail: texts to translate, and the catalogues."""
